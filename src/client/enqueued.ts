import { ErrandError } from '../job/errors.ts'
import type { JobId, NewJob } from '../job/job.ts'
import type { Inserted } from '../store/contract.ts'

/** What an enqueue answers: the job's id, and whether it is one that was there before. */
export type Enqueued = { id: JobId; joined: boolean }

export type OnEnqueued = (job: NewJob, enqueued: Enqueued) => void

/** @throws ErrandError LIMIT_REACHED, STORE_BUSY, and why else it was refused */
export function accepted(inserted: Inserted | undefined): Enqueued {
  if (inserted === undefined) throw new TypeError('an insert was not answered')
  if (!('refused' in inserted)) return inserted
  if (inserted.refused === 'LIMIT_REACHED')
    throw new ErrandError('LIMIT_REACHED', { key: inserted.key })
  if (inserted.refused !== 'STORE_BUSY')
    throw new ErrandError(inserted.refused, { id: inserted.id })
  throw new ErrandError('STORE_BUSY', { waitedMs: inserted.waitedMs })
}

export function tellEach(
  jobs: readonly NewJob[],
  inserted: readonly Inserted[],
  onEnqueued: OnEnqueued,
): void {
  for (const [i, job] of jobs.entries()) {
    const one = inserted[i]
    if (one && !('refused' in one)) onEnqueued(job, one)
  }
}
