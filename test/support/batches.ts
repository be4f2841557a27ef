import assert from 'node:assert/strict'
import { newId } from '../../src/base/id.ts'
import { type Batch, itemId, type NewBatch } from '../../src/job/batch.ts'
import type { JobId, NewJob } from '../../src/job/job.ts'
import type { Store } from '../../src/store/contract.ts'
import { Hand, only } from './hand.ts'
import { chore, DAY } from './jobs.ts'

export const LAST = '018f3c5e-0000-8000-8000-000000000000'

export const batchOf = (over: Partial<NewBatch> = {}): NewBatch => ({
  id: newId(),
  job: 'chore',
  tenant: '',
  keepMs: DAY,
  ...over,
})

export const itemsOf = (batch: JobId, count: number, over: Partial<NewJob> = {}): NewJob[] =>
  Array.from({ length: count }, (_, index) => {
    const place = { batch, index }
    return chore({ ...over, id: itemId(place), place })
  })

export const open = async (store: Store, batch: NewBatch) => {
  const opened = await store.changeBatch(batch.id, { to: 'open', batch })
  assert(opened)
  return opened
}

export const close = (store: Store, id: JobId, failedMax?: number) =>
  store.changeBatch(id, { to: 'closed', ...(failedMax !== undefined && { failedMax }) })

export const stop = (store: Store, id: JobId) =>
  store.changeBatch(id, { to: 'stopped', why: 'asked' })

export async function batch(store: Store, id: JobId): Promise<Batch> {
  const found = only(await store.findBatches([id]))
  assert(found, 'the batch is not in the store')
  return found
}

export const tally = ({
  items,
  completed: done,
  withErrors,
  failed: bad,
  cancelled: off,
}: Batch) => [items, done, withErrors, bad, off]

/** A closed batch with items, a worker, and a job at the end. */
export async function filled(store: Store, count: number, over: Partial<NewBatch> = {}) {
  const worker = await Hand.register(store)
  const made = batchOf({ end: chore({ id: LAST, queue: 'ends' }), ...over })
  await open(store, made)
  await store.fillBatch(made.id, itemsOf(made.id, count))
  await close(store, made.id)
  return { worker, id: made.id }
}
