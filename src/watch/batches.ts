import { setTimeout } from 'node:timers/promises'
import { Bell } from '../base/bell.ts'
import type { Millis } from '../base/time.ts'
import { isId } from '../base/id.ts'
import { type Batch, type BatchView, itemId, toBatchView } from '../job/batch.ts'
import { ErrandError } from '../job/errors.ts'
import type { Job, JobId } from '../job/job.ts'
import type { State } from '../job/state.ts'
import type { Lookout } from '../store/contract.ts'

/** Some items of a batch, in their order: at most 1 000 are looked at, so a page may be short. */
export type ItemsPage = { items: Job[]; next?: number }

const LOOKED_AT_MAX = 1000
const STEP = 200
const SAFETY_POLL_MS = 1000
const REST_MS = 50

/** Batches and their items: an item's id is that of its place, so that none has to be looked for. */
export class BatchWatch {
  readonly #lookout: Lookout

  constructor(lookout: Lookout) {
    this.#lookout = lookout
  }

  /** @throws ErrandError BATCH_NOT_FOUND */
  async one(id: JobId, tenant?: string): Promise<Batch> {
    const [batch] = isId(id) ? await this.#lookout.findBatches([id]) : []
    if (batch === undefined || (tenant !== undefined && batch.tenant !== tenant))
      throw new ErrandError('BATCH_NOT_FOUND', { id: isId(id) ? id : 'given' })
    return batch
  }

  /** Once it has ended, or as it stands after `ms`. */
  async ended(
    id: JobId,
    {
      ms,
      tenant,
      signal,
    }: { ms: Millis; tenant?: string | undefined; signal?: AbortSignal | undefined },
  ): Promise<Batch> {
    const until = performance.now() + ms
    const bell = new Bell()
    using _listening = ms > 0 ? this.#lookout.listen('change', () => bell.ring()) : undefined
    signal?.addEventListener('abort', () => bell.ring(), { once: true })
    for (;;) {
      const batch = await this.one(id, tenant)
      const left = until - performance.now()
      if (batch.endedAt !== undefined || left <= 0 || signal?.aborted) return batch
      await bell.wait(Math.min(left, SAFETY_POLL_MS))
      // However many changes are heard of, it is read a few times a second.
      await setTimeout(Math.min(left, REST_MS))
    }
  }

  async list(
    filter: { tenant?: string },
    limit: number,
    cursor?: string,
  ): Promise<{ batches: BatchView[]; next?: string }> {
    const { batches, next } = await this.#lookout.listBatches(filter, limit, cursor)
    return { batches: batches.map(toBatchView), ...(next !== undefined && { next }) }
  }

  /** Those that are kept, from a place on. */
  async items(
    { id, items: total }: Batch,
    { state, from = 0, limit }: { state?: State | undefined; from?: number; limit: number },
  ): Promise<ItemsPage> {
    const items: Job[] = []
    const upto = Math.min(total, from + LOOKED_AT_MAX)
    for (let index = from; index < upto; index += STEP) {
      const count = Math.min(STEP, upto - index)
      const ids = Array.from({ length: count }, (_, i) => itemId({ batch: id, index: index + i }))
      for (const [i, job] of (await this.#lookout.find(ids)).entries()) {
        if (job === undefined || (state !== undefined && job.state !== state)) continue
        items.push(job)
        if (items.length < limit) continue
        const next = index + i + 1
        return { items, ...(next < total && { next }) }
      }
    }
    return { items, ...(upto < total && { next: upto }) }
  }
}
