import { type Errand, hasCode, type JobView } from 'errand'
import { processBatch } from '../contract.ts'
import type { BatchRecord } from './records.ts'

/** Has the job of a record stored, under the id that every process would give it: to do it again changes nothing. */
export async function submit(
  errand: Pick<Errand, 'enqueue'>,
  { id, tenant, batchId, ...record }: BatchRecord,
  { tx }: Pick<NonNullable<Parameters<Errand['enqueue']>[2]>, 'tx'> = {},
): Promise<void> {
  const input = {
    batch_id: batchId,
    tenant_id: tenant,
    user_id: record.userId,
    domains: [...record.domains],
    max_pages: record.maxPages,
    max_concurrent: record.maxConcurrent,
  }
  const options = { id, tags: [batchId], ...(tenant !== '' && { tenant }), ...(tx && { tx }) }
  await errand.enqueue(processBatch, input, options)
}

/** What is not there, not there any more, or over. */
export async function orNothing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    const codes = ['JOB_NOT_FOUND', 'BATCH_NOT_FOUND', 'WRONG_STATE'] as const
    if (codes.some((code) => hasCode(error, code))) return undefined
    throw error
  }
}

/** Whether what brings the domains in has nothing more to do. */
export const isOver = (job: JobView | undefined): boolean =>
  job === undefined || ['completed', 'failed', 'cancelled'].includes(job.state)
