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
  #lines = 0
  #progress: Progress | undefined
  #progressAt: Millis = -PROGRESS_EVERY_MS
  #timer: NodeJS.Timeout | undefined

  constructor(task: Task, note: (note: Note) => void) {
    this.#task = task
    this.#note = note
  }

  log(level: LogLevel, text: unknown): void {
    if (++this.#lines > LINES_MAX) return
    const said = String(text).replaceAll('\0', '').slice(0, LINE_MAX)
    this.#say({ log: [{ at: Date.now(), level, text: said }] })
  }

  warn(code: string, text: string): void {
    this.warned = true
    this.log('warn', text === '' ? code : `${code}: ${text}`)
  }

  progress(progress: Progress): void {
    this.#progress = { ...progress }
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

/** Progress that cannot be stored is not worth a job: it is left out. */
function encodeQuietly(progress: Progress | undefined): Bytes | undefined {
  return findUnfit(progress) === undefined ? encodeJson(progress) : undefined
}
