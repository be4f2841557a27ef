import type { Millis } from '../base/time.ts'

/** A job fetched ahead may wait this long behind others; more would delay it for no gain. */
const AHEAD_MS = 50
const AHEAD_MAX = 500
/** One slow job counts at once and is forgotten slowly. */
const DECAY = 0.97
const TRUSTED_AFTER = 10
const NAMES_MAX = 10_000

/**
 * How many jobs to hold beyond those that run. Fetching ahead hides the way to the store, but only
 * where jobs have been short lately: a job held behind a long one would better run elsewhere.
 */
export class Pace {
  readonly #slowestMs = new Map<string, Millis>()
  #seen = 0
  #slowest: Millis = 0

  ran(job: string, ms: Millis): void {
    if (this.#slowestMs.size >= NAMES_MAX) this.#slowestMs.clear()
    this.#slowestMs.set(job, Math.max(ms, (this.#slowestMs.get(job) ?? 0) * DECAY))
    this.#slowest = Math.max(ms, this.#slowest * DECAY)
    this.#seen++
  }

  ahead(places: number): number {
    if (this.#seen < TRUSTED_AFTER) return 0
    return Math.min(AHEAD_MAX, Math.floor((AHEAD_MS / Math.max(this.#slowest, 0.05)) * places))
  }

  /** Whether one more of these may wait its turn: what nobody has seen to be short may not. */
  isShort(job: string): boolean {
    const ms = this.#slowestMs.get(job)
    return ms !== undefined && ms <= AHEAD_MS
  }

  /** Something long, or something that brought a process down, was among what was fetched ahead. */
  distrust(): void {
    this.#seen = 0
  }
}
