import { setTimeout } from 'node:timers/promises'
import { decodeJson } from '../base/json.ts'
import { type Millis, type Span, TIMER_MAX_MS } from '../base/time.ts'
import { type CallOptions, prepareChild } from '../job/child.ts'
import { SignalTimeout } from '../job/control.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import { boxOf } from '../job/mail.ts'
import { readSpan, readText, YEAR_MS } from '../job/options.ts'
import type { Suspension } from '../job/outcome.ts'
import { type Given, type Parsed, type Schema, validate } from '../job/schema.ts'
import type { Keyring } from '../job/seal.ts'
import { childBox, mishapIn, senderOf } from '../job/words.ts'
import type { Task } from './crew.ts'
import type { Steps } from './steps.ts'

const ALONE = 'waits for others, of whom a job that is run in place never hears'
const OPEN = 'has its data sealed, so whoever calls it must have too'
const ANOTHER = 'was called for another job or on another input by an earlier run'

/** What a handler waits for when it is set aside. */
export type Wait = Omit<Suspension, 'to'>
type Pending = { for: string; until: Millis; one: readonly string[]; all: readonly string[] }

export type WaitOptions<Of extends Schema> = { schema?: Of; timeout?: Span }

type Parts = {
  task: Task
  steps: Steps
  keys: Keyring | undefined
  /** Whether what it says rests sealed. */
  isSealed: boolean
  /** The store's time. */
  now: () => Millis
  /** Whether the handler does anything but wait, as far as its context knows. */
  isBusy: () => boolean
  /** Absent where nobody would run it again. */
  suspend: ((wait: Wait) => void) | undefined
}

/** What one attempt waits for. Once waiting is all that it does it is set aside, and holds no place. */
export class Waits {
  readonly #parts: Parts
  readonly #pending = new Set<Pending>()
  /** Waits of which it is not known yet whether they are over. */
  #finding = 0
  #isOver = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async sleep(name: string, span: Span): Promise<void> {
    const box = `sleep:${readText('name', name, { max: 100 })}`
    return this.#wait(async () => {
      const until = await this.#moment(box, readSpan('sleep', span, { max: YEAR_MS }))
      const ms = until - this.#parts.now()
      if (ms > 0 && this.#parts.suspend) return { for: box, until, one: [], all: [] }
      if (ms > 0) await setTimeout(Math.min(ms, TIMER_MAX_MS))
      return { value: undefined }
    })
  }

  async waitFor<Of extends Schema>(
    signal: string,
    { schema, timeout }: WaitOptions<Of> = {},
  ): Promise<Parsed<Of>> {
    const { task, steps, now, suspend } = this.#parts
    const box = boxOf(signal)
    return this.#wait<Parsed<Of>>(async () => {
      const until =
        timeout === undefined
          ? (steps.use(box), Infinity)
          : await this.#moment(box, readSpan('timeout', timeout, { max: YEAR_MS }))
      const letter = task.mail?.find(({ name }) => name === box)
      if (letter && letter.at <= until) {
        const value = decodeJson(letter.value)
        // Without a schema it is what its sender says.
        return { value: schema ? await validate(schema, value, box) : value }
      }
      if (until <= now()) throw new SignalTimeout(signal)
      if (!suspend) throw new ErrandError('STEP_REFUSED', { step: box, problem: ALONE })
      return { for: box, until, one: [box], all: [] }
    })
  }

  /** Has another job run, and waits for its end. */
  async call<In extends Schema, Out extends Schema>(
    name: string,
    definition: Definition<In, Out>,
    input: Given<In>,
    options: CallOptions = {},
  ): Promise<Parsed<Out>> {
    const { task, steps, keys, isSealed, suspend } = this.#parts
    const box = childBox(readText('name', name, { max: 100 }))
    return this.#wait<Parsed<Out>>(async () => {
      steps.use(box)
      if (definition.policy.data === 'sealed' && !isSealed)
        throw new ErrandError('STEP_REFUSED', { step: box, problem: OPEN })
      const caller = { id: task.id, name, tenant: task.tenant }
      const child = await prepareChild(caller, definition, input, options, keys)
      const said = Buffer.from(`"${child.print}"`)
      const before = steps.recorded(box)
      if (before !== undefined && !said.equals(before))
        throw new ErrandError('STEP_REFUSED', { step: box, problem: ANOTHER })
      const word = task.mail?.findLast(
        (letter) => letter.name === box && senderOf(letter) === child.job.id,
      )
      if (word?.urgent) throw mishapIn(word)
      // Parsed by its own schema before it was stored.
      if (word) return { value: word.value.length === 0 ? undefined : decodeJson(word.value) }
      if (!suspend) throw new ErrandError('STEP_REFUSED', { step: box, problem: ALONE })
      await steps.call(box, said, child.job)
      return { for: box, until: Infinity, one: [], all: [box] }
    })
  }

  /** Something came to its end: waiting may be all that is left. Asked again when others have had their turn. */
  check(): void {
    if (this.#isIdle) setImmediate(() => this.#isIdle && this.#suspend())
  }

  get #isIdle(): boolean {
    return this.#pending.size > 0 && this.#finding === 0 && !this.#isOver && !this.#parts.isBusy()
  }

  /** A moment is fixed where it is first asked for; later runs are told the same. */
  #moment(box: string, ms: Millis): Promise<Millis> {
    return this.#parts.steps.run(box, () => Math.round(this.#parts.now()) + ms)
  }

  /** Who has to wait is not told of the end: another run will be. While it is found out, nobody is set aside. */
  async #wait<Value>(find: () => Promise<{ value: unknown } | Pending>): Promise<Value> {
    this.#finding++
    let found: { value: unknown } | Pending
    try {
      found = await find()
    } finally {
      this.#finding--
      this.check()
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what its schema made of it, or what its sender says
    if ('value' in found) return found.value as Value
    this.#pending.add(found)
    this.check()
    return new Promise(() => undefined)
  }

  #suspend(): void {
    this.#isOver = true
    const all = [...this.#pending]
    const wakeAt = Math.min(...all.map(({ until }) => until))
    this.#parts.suspend?.({
      for: all.map((one) => one.for).join(', '),
      one: all.flatMap(({ one }) => one),
      all: all.flatMap((pending) => pending.all),
      ...(wakeAt < Infinity && { wakeAt }),
    })
  }
}
