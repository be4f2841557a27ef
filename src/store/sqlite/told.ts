import type { BatchTally } from '../../job/batch.ts'
import type { JobId } from '../../job/job.ts'
import type { Ended } from '../../job/state.ts'

/** What changes of the tally of a batch; `filled`: items were sent, be they here already. */
export type Change = BatchTally & { erased: number; filled: boolean }

/** What became of items of batches, gathered over a turn and written once before it commits. */
export class Told {
  #changes = new Map<JobId, Change>()

  /** So many items came that were not here. */
  came(batch: JobId, count: number): void {
    const change = this.#of(batch)
    change.items += count
    change.filled = true
  }

  /** `by` is -1 where one that had ended is given another life. */
  ended(batch: JobId, state: Ended, withErrors: boolean, by: 1 | -1 = 1): void {
    const change = this.#of(batch)
    change[state] += by
    if (withErrors) change.withErrors += by
  }

  erased(batch: JobId): void {
    this.#of(batch).erased++
  }

  /** Takes all that was gathered. */
  take(): Map<JobId, Change> {
    const changes = this.#changes
    if (changes.size > 0) this.#changes = new Map()
    return changes
  }

  #of(batch: JobId): Change {
    let change = this.#changes.get(batch)
    if (change === undefined) {
      const nothing = { items: 0, completed: 0, withErrors: 0, failed: 0, cancelled: 0, erased: 0 }
      change = { ...nothing, filled: false }
      this.#changes.set(batch, change)
    }
    return change
  }
}
