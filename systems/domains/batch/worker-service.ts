import { type Errand, hasCode } from 'errand'
import type { z } from 'zod'
import { type BatchInput, processDomain } from '../contract.ts'
import type { Settings } from '../settings.ts'
import type { BatchRecord, Records } from './records.ts'
import { isOver, orNothing, submit } from './shared.ts'

export type Means = { errand: Errand; records: Records; settings: Pick<Settings, 'keepMs'> }

/**
 * Has a job stored for each domain of a batch, of which so many run at a time. Done again, it adds what is missing: an
 * item's id is made of its batch and its place.
 */
export async function handOver(
  { domains, max_concurrent: concurrency, ...batch }: z.infer<typeof BatchInput>,
  id: string,
  { errand, records, settings }: Means,
): Promise<number> {
  const { batch_id, tenant_id: tenant, user_id, max_pages } = batch
  const items = domains.map((domain) => ({
    batch_id,
    tenant_id: tenant,
    user_id,
    domain,
    max_pages,
  }))
  await errand.enqueueBatch(processDomain, items, {
    id,
    concurrency,
    tags: [batch_id],
    keep: settings.keepMs,
    ...(tenant !== '' && { tenant }),
  })
  await records.handed(id)
  // Whoever cancelled it before found no items to stop; and they are there for whoever tries again.
  if (await records.isCancelled(id)) await errand.cancelBatch(id)
  return items.length
}

/** Stops every batch whose cancel was only marked when its process died. */
export async function stop(marked: readonly BatchRecord[], errand: Errand): Promise<number> {
  let count = 0
  for (const { id, tenant } of marked) {
    const batch = await orNothing(errand.batch(id, tenant))
    if (batch === undefined || batch.stopped || batch.state !== 'closed') continue
    await errand.cancelBatch(id)
    count++
  }
  return count
}

/** Removes the records of batches that are kept no longer, and will not come: one still waits for a worker. */
export async function forget(
  old: readonly BatchRecord[],
  { errand, records }: Pick<Means, 'errand' | 'records'>,
): Promise<void> {
  for (const { id, tenant } of old) {
    if (!isOver(await orNothing(errand.job(id, tenant)))) continue
    if ((await orNothing(errand.batch(id, tenant))) === undefined) await records.remove(id)
  }
}

/** Gives every record that was left without its job one, however often it is asked. */
export async function adopt(waiting: readonly BatchRecord[], errand: Errand): Promise<number> {
  for (const record of waiting)
    try {
      await submit(errand, record)
    } catch (error) {
      // It had its job, and somebody erased it.
      if (!hasCode(error, 'JOB_ERASED')) throw error
    }
  return waiting.length
}
