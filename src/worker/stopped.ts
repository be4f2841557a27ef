import type { Millis } from '../base/time.ts'
import { type Batch, itemId } from '../job/batch.ts'
import type { Job, JobId } from '../job/job.ts'
import { decideCancel } from '../job/outcome.ts'
import { isEnded } from '../job/state.ts'
import type { Intake, Lookout, Workbench } from '../store/contract.ts'

type Store = Pick<Workbench, 'stoppedBatches'> & Pick<Lookout, 'find'> & Pick<Intake, 'cancel'>

/** A batch that nobody closes is stopped after so long without an item. */
const IDLE_MS = 3_600_000
const STEP = 200
/** A round looks at so many items, so that the rest of the housekeeping goes on. */
const ROUND_MAX = 10_000

/**
 * Ends what still lies about of batches that are stopped. What is claimed is cancelled by whoever claims it; this
 * finds what runs, waits for a later moment, or lies in a queue that nobody serves.
 */
export class StoppedBatches {
  readonly #store: Store
  /** Up to which item each was looked through. Another worker, or this one after a restart, begins anew. */
  readonly #seen = new Map<JobId, number>()

  constructor(store: Store) {
    this.#store = store
  }

  async round(idleMs: Millis = IDLE_MS): Promise<void> {
    const stopped = await this.#store.stoppedBatches(idleMs)
    const ids = new Set(stopped.map(({ id }) => id))
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id)
    for (const batch of stopped) await this.#walk(batch)
  }

  async #walk({ id, items }: Batch): Promise<void> {
    const from = this.#seen.get(id) ?? 0
    const upto = Math.min(items, from + ROUND_MAX)
    for (let index = from; index < upto; index += STEP) {
      const count = Math.min(STEP, upto - index)
      const ids = Array.from({ length: count }, (_, i) => itemId({ batch: id, index: index + i }))
      const live = (await this.#store.find(ids)).flatMap((job) => (job && isLive(job) ? [job] : []))
      const now = Date.now()
      if (live.length > 0)
        await this.#store.cancel(
          live.map((job) => ({ id: job.id, outcome: decideCancel(job, now) })),
        )
    }
    // What was retried meanwhile is found the next time round.
    this.#seen.set(id, upto < items ? upto : 0)
  }
}

const isLive = ({ state, cancelAsked }: Job): boolean => !isEnded(state) && !cancelAsked
