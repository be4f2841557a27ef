import type { Millis } from '../../base/time.ts'

const GOOD_FOR_MS = 250

/**
 * Where claims go on along lines whose beginning is long gone, but cannot be cleaned up: vacuum has not come by,
 * or somebody holds a snapshot. To pass all of it at each claim would take longer and longer. A job that comes
 * back to its place before that waits until the beginning is looked at again, a quarter of a second at most.
 */
export class Starts {
  #starts: string | null = null
  #since: Millis = 0

  /** As `exchange` takes them; null for the beginning of every line. */
  still(): string | null {
    if (performance.now() - this.#since > GOOD_FOR_MS) this.#starts = null
    return this.#starts
  }

  learn(ends: string | null): void {
    if (ends === null) this.#starts = null
    else if (this.#starts === null) this.#since = performance.now()
    this.#starts = ends
  }
}
