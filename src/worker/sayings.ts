import { type Bytes, encodeJson, findUnfit } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Progress } from '../job/context.ts'
import type { LogLevel } from '../job/job.ts'
import type { Note } from '../store/contract.ts'
import type { Task } from './crew.ts'

const PROGRESS_EVERY_MS = 250
const LINES_MAX = 1000
const LINE_MAX = 8192

/** What one attempt says of itself: log lines, warnings, progress at a pace that a store can bear. */
export class Sayings {
  warned = false
  readonly #task: Task
  readonly #note: (note: Note) => void
  /** Whatever text it says is kept nowhere. */
  readonly #isMute: boolean
  #lines = 0
  #progress: Progress | undefined
  #progressAt: Millis = -PROGRESS_EVERY_MS
  #timer: NodeJS.Timeout | undefined

  constructor(task: Task, note: (note: Note) => void, { isMute = false } = {}) {
    this.#task = task
    this.#note = note
    this.#isMute = isMute
  }

  log(level: LogLevel, text: unknown): void {
    if (!this.#isMute) this.#line(level, text)
  }

  #line(level: LogLevel, text: unknown): void {
    if (++this.#lines > LINES_MAX) return
    const said = String(text).replaceAll('\0', '').slice(0, LINE_MAX)
    this.#say({ log: [{ at: Date.now(), level, text: said }] })
  }

  warn(code: string, text: string): void {
    this.warned = true
    if (!this.#isMute) return this.#line('warn', text === '' ? code : `${code}: ${text}`)
    if (CODE.test(code)) this.#line('warn', code)
  }

  progress(progress: Progress): void {
    this.#progress = this.#isMute ? countsOf(progress) : { ...progress }
    const waitMs = this.#progressAt + PROGRESS_EVERY_MS - performance.now()
    if (waitMs <= 0) this.#sendProgress()
    else this.#timer ??= setTimeout(() => this.#sendProgress(), waitMs)
  }

  /** Sends what is still unsaid. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#progress) this.#sendProgress()
  }

  #sendProgress(): void {
    this.#timer = undefined
    this.#progressAt = performance.now()
    const progress = encodeQuietly(this.#progress)
    this.#progress = undefined
    if (progress) this.#say({ progress })
  }

  #say(note: Pick<Note, 'log' | 'progress'>): void {
    const { id, fence } = this.#task
    this.#note({ id, fence, ...note })
  }
}

/** A warning's code is a word of the program's. */
const CODE = /^[A-Z][A-Z\d_]{0,63}$/

const countsOf = (progress: Progress): Progress =>
  Object.fromEntries(
    (['done', 'failed', 'total'] as const).flatMap((of) => {
      const count: unknown = progress[of]
      return typeof count === 'number' ? [[of, count]] : []
    }),
  )

/** Progress that cannot be stored is not worth a job: it is left out. */
function encodeQuietly(progress: Progress | undefined): Bytes | undefined {
  return findUnfit(progress) === undefined ? encodeJson(progress) : undefined
}
