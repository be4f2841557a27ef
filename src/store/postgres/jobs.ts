import type { NewJob } from '../../job/job.ts'
import type { Inserted } from '../contract.ts'
import { hex } from './arrays.ts'
import type { Row } from './connection.ts'
import type { Kinds } from './kinds.ts'
import { text } from './rows.ts'

/** A job as a row of the type `new_job`, in JSON. */
export const toNewJob = (job: NewJob, kinds: Kinds) => ({
  id: job.id,
  kind: kinds.idOf(job),
  name: job.job,
  queue: job.queue,
  tenant: job.tenant,
  priority: job.priority,
  run_at: job.runAt,
  delay_ms: job.delayMs,
  expires_in_ms: job.expiresInMs,
  deadline_ms: job.deadlineMs,
  fingerprint: job.fingerprint,
  unique_value: job.unique?.value,
  unique_until: job.unique?.until,
  on_conflict: job.unique?.onConflict,
  tags: job.tags,
  subject: job.subject,
  input: `\\x${hex(job.input)}`,
})

/** A job that another calls, and the name of what it will say of its end. */
export const toChild = (child: NewJob, box: string, kinds: Kinds) => ({
  ...toNewJob(child, kinds),
  parent: child.parent?.id,
  called: child.parent?.name,
  box,
})

/** What became of a job that may have looked up others. */
export function toInserted({ id, verdict }: Row, waitedMs = 0): Inserted {
  if (verdict === 'STORE_BUSY') return { id: text(id), refused: verdict, waitedMs }
  if (verdict === 'ID_TAKEN' || verdict === 'UNIQUE_TAKEN' || verdict === 'JOB_ERASED')
    return { id: text(id), refused: verdict }
  return { id: text(id), joined: verdict === 'joined' }
}
