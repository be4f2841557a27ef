import { setTimeout } from 'node:timers/promises'
import { type Bytes, decodeJson } from '../base/json.ts'
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
const ANOTHER = 'was called for another job or on another input by an earlier run'

/** What a handler waits for when it is set aside. */
export type Wait = Omit<Suspension, 'to'>
type Pending = { for: string; until: Millis; one: readonly string[]; all: readonly string[] }

export type WaitOptions<Of extends Schema> = { schema?: Of; timeout?: Span }

type Parts = {
  task: Task
  steps: Steps
  keys: Keyring | undefined
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
  #isOver = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async sleep(name: string, span: Span): Promise<void> {
    const box = `sleep:${readText('name', name, { max: 100 })}`
    const until = await this.#moment(box, readSpan('sleep', span, { max: YEAR_MS }))
    const ms = until - this.#parts.now()
    if (ms <= 0) return
    if (this.#parts.suspend) await this.#pend({ for: box, until, one: [], all: [] })
    else await setTimeout(Math.min(ms, TIMER_MAX_MS))
  }

  async waitFor<Of extends Schema>(
    signal: string,
    { schema, timeout }: WaitOptions<Of> = {},
  ): Promise<Parsed<Of>> {
    const { task, steps, now } = this.#parts
    const box = boxOf(signal)
    const until =
      timeout === undefined
        ? (steps.use(box), Infinity)
        : await this.#moment(box, readSpan('timeout', timeout, { max: YEAR_MS }))
    const letter = task.mail?.find(({ name }) => name === box)
    if (letter && letter.at <= until) {
      const value = decodeJson(letter.value)
      // Without a schema it is what its sender says.
      return schema ? await validate(schema, value, box) : value
    }
    if (until <= now()) throw new SignalTimeout(signal)
    if (!this.#parts.suspend) throw new ErrandError('STEP_REFUSED', { step: box, problem: ALONE })
    return this.#pend({ for: box, until, one: [box], all: [] })
  }

  /** Has another job run, and waits for its end. */
  async call<In extends Schema, Out extends Schema>(
    name: string,
    definition: Definition<In, Out>,
    input: Given<In>,
    options: CallOptions = {},
  ): Promise<Parsed<Out>> {
    const { task, steps, keys } = this.#parts
    const box = childBox(readText('name', name, { max: 100 }))
    steps.use(box)
    const child = await prepareChild(
      { id: task.id, name, tenant: task.tenant },
      definition,
      input,
      options,
      keys,
    )
    const said = Buffer.from(`"${child.print}"`)
    const before = steps.recorded(box)
    if (before !== undefined && !said.equals(before))
      throw new ErrandError('STEP_REFUSED', { step: box, problem: ANOTHER })
    const word = task.mail?.findLast(
      (letter) => letter.name === box && senderOf(letter) === child.job.id,
    )
    if (word?.urgent) throw mishapIn(word)
    if (word) return readResult(definition, word.value)
    if (!this.#parts.suspend) throw new ErrandError('STEP_REFUSED', { step: box, problem: ALONE })
    await steps.call(box, said, child.job)
    return this.#pend({ for: box, until: Infinity, one: [], all: [box] })
  }

  /** Something came to its end: waiting may be all that is left. Asked again when others have had their turn. */
  check(): void {
    if (this.#isIdle) setImmediate(() => this.#isIdle && this.#suspend())
  }

  get #isIdle(): boolean {
    return this.#pending.size > 0 && !this.#isOver && !this.#parts.isBusy()
  }

  /** A moment is fixed where it is first asked for; later runs are told the same. */
  #moment(box: string, ms: Millis): Promise<Millis> {
    return this.#parts.steps.run(box, () => Math.round(this.#parts.now()) + ms)
  }

  /** Who waits is not told of the end: another run will be. */
  #pend(pending: Pending): Promise<never> {
    this.#pending.add(pending)
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

/** What a job that was called came to, as its own definition has it. */
function readResult<Out extends Schema>(
  { output, name }: Definition<Schema, Out>,
  bytes: Bytes,
): Parsed<Out> | Promise<Parsed<Out>> {
  const value: unknown = bytes.length === 0 ? undefined : decodeJson(bytes)
  return output ? validate(output, value, name) : value
}
