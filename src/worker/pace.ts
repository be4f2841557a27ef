import type { Millis } from '../base/time.ts'

/** A job fetched ahead may wait this long behind others; more would delay it for no gain. */
const AHEAD_MS = 50
const AHEAD_MAX = 500
/** One slow job counts at once and is forgotten slowly. */
const DECAY = 0.97
const TRUSTED_AFTER = 10

/**
 * How many jobs to hold beyond those that run. Fetching ahead hides the way to the store, but only
 * where jobs have been short lately: a job held behind a long one would better run elsewhere.
 */
export class Pace {
  #slowestMs: Millis = 0
  #seen = 0

  ran(ms: Millis): void {
    this.#slowestMs = Math.max(ms, this.#slowestMs * DECAY)
    this.#seen++
  }

  ahead(concurrency: number): number {
    if (this.#seen < TRUSTED_AFTER) return 0
    return Math.min(
      AHEAD_MAX,
      Math.floor((AHEAD_MS / Math.max(this.#slowestMs, 0.05)) * concurrency),
    )
  }
}
