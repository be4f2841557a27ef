import { createHash } from 'node:crypto'
import { decodeJson, encodeJson, findUnfit, type Bytes } from '../base/json.ts'
import { compress } from '../base/zstd.ts'
import { derivedId } from '../base/id.ts'
import { ErrandError } from '../job/errors.ts'
import type { NewJob, Step } from '../job/job.ts'
import type { Answer, Note } from '../store/contract.ts'
import type { Task } from './crew.ts'

const STEPS_MAX = 1000
const NAME_MAX = 200
const VALUE_BYTES_MAX = 262_144
/** All of them travel with their job to its next run. */
const TOTAL_BYTES_MAX = 1_048_576

/** Another holds the job by now: what this run does counts for nothing, so it should stop. */
const OVERTAKEN = 'another run of this job holds it now'

/** The steps of one attempt: those that earlier ones recorded, and those of its own on their way. */
export class Steps {
  readonly #task: Task
  readonly #note: (note: Note) => void
  readonly #recorded: ReadonlyMap<string, Step>
  readonly #used = new Set<string>()
  #bytes: number
  #print: string | undefined
  readonly #underWay = new Map<string, (answer: Answer) => void>()

  constructor(task: Task, note: (note: Note) => void) {
    this.#task = task
    this.#note = note
    const { steps = [] } = task
    this.#recorded = new Map(steps.map((step) => [step.name, step]))
    this.#bytes = steps.reduce((sum, { value }) => sum + value.length, 0)
  }

  /** Whether one is on its way to the store. */
  get isRecording(): boolean {
    return this.#underWay.size > 0
  }

  async run<Value>(name: string, fn: (key: string) => Value | Promise<Value>): Promise<Value> {
    this.use(name)
    const recorded = this.#recorded.get(name)
    const value = recorded ? recorded.value : await this.#do(name, fn)
    // The first run is given what later ones will be: a date is a text in all of them.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it was when it was recorded
    return read(value) as Value
  }

  async #do(name: string, fn: (key: string) => unknown): Promise<Bytes> {
    const value = encode(name, await fn(this.#keyOf(name)))
    this.#bytes += value.length
    if (this.#bytes > TOTAL_BYTES_MAX)
      throw refuse(name, `brings the steps of its job to more than ${TOTAL_BYTES_MAX} bytes`)
    if ((await this.#record(name, value)) === 'done') return value
    throw new DOMException(OVERTAKEN, 'AbortError')
  }

  /** The same in every run. Whoever gives its job another input asks the world outside for something else. */
  #keyOf(name: string): string {
    const { id, input } = this.#task
    this.#print ??= createHash('sha256').update(input).digest('base64url')
    return derivedId('step', id, name, this.#print)
  }

  /** What an earlier run recorded under this name. */
  recorded(name: string): Bytes | undefined {
    return this.#recorded.get(name)?.value
  }

  /** Records that a job is called, which stores it. @throws what ends a run that was overtaken */
  async call(name: string, value: Bytes, child: NewJob): Promise<void> {
    if ((await this.#record(name, value, child)) !== 'done')
      throw new DOMException(OVERTAKEN, 'AbortError')
  }

  noted(step: string, answer: Answer): void {
    this.#underWay.get(step)?.(answer)
    this.#underWay.delete(step)
  }

  /** A name tells one thing in a run. @throws ErrandError STEP_REFUSED */
  use(name: string): void {
    if (name === '' || name.length > NAME_MAX || name.includes('\0') || !name.isWellFormed())
      throw refuse(name.slice(0, NAME_MAX), `needs a name of 1 to ${NAME_MAX} characters`)
    if (this.#used.has(name))
      throw refuse(name, 'was used before in this run; names tell steps apart')
    this.#used.add(name)
    if (this.#used.size > STEPS_MAX)
      throw refuse(name, `is one more than the ${STEPS_MAX} of a job`)
  }

  #record(name: string, value: Bytes, child?: NewJob): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#underWay.set(name, resolve)
    const { id, fence } = this.#task
    this.#note({ id, fence, step: { name, value }, ...(child && { child }) })
    return promise
  }
}

/** JSON has no word for what a function returns that returns nothing. */
const read = (value: Bytes): unknown => (value.length === 0 ? undefined : decodeJson(value))

function encode(name: string, value: unknown): Bytes {
  if (value === undefined) return new Uint8Array()
  const unfit = findUnfit(value, { membersMax: Number.MAX_SAFE_INTEGER })
  const bytes = unfit ? undefined : encodeJson(value)
  if (bytes === undefined)
    throw refuse(
      name,
      `came to a value that cannot be stored as JSON, at "${unfit?.pointer ?? ''}"`,
    )
  if (bytes.length > VALUE_BYTES_MAX)
    throw refuse(name, `came to ${bytes.length} bytes; at most ${VALUE_BYTES_MAX} are kept`)
  return compress(bytes)
}

const refuse = (step: string, problem: string) => new ErrandError('STEP_REFUSED', { step, problem })
