import type { Bytes } from '../../base/json.ts'
import type { NewJob } from '../../job/job.ts'
import type { Inserted } from '../contract.ts'
import { firstKey } from '../parts/limits.ts'
import { blobs, hex, optional, plain, readBlob, texts } from './arrays.ts'
import type { Connection, Row, Values } from './connection.ts'
import type { Kinds } from './kinds.ts'
import { text } from './rows.ts'

type Parts = { connection: Connection; kinds: Kinds }

/** Nothing in it looks up another job. */
export const isPlain = ({ unique, fingerprint, tags, subject, fair }: NewJob): boolean =>
  unique === undefined &&
  !fair &&
  fingerprint === undefined &&
  tags === undefined &&
  subject === undefined

/** Jobs that are plain, as the arrays of `insert`. */
export const plainValues = (jobs: readonly NewJob[], { connection, kinds }: Parts): Values => [
  connection.now,
  connection.slot,
  JSON.stringify(kinds.of(jobs)),
  plain(jobs.map(({ id }) => id)),
  plain(jobs.map((job) => kinds.idOf(job))),
  texts(jobs.map(({ queue }) => queue)),
  texts(jobs.map(({ tenant }) => tenant)),
  plain(jobs.map(({ priority }) => priority)),
  optional(
    jobs.map(({ runAt }) => runAt),
    plain,
  ),
  optional(
    jobs.map(({ delayMs }) => delayMs),
    plain,
  ),
  optional(
    jobs.map(({ expiresInMs }) => expiresInMs),
    plain,
  ),
  optional(
    jobs.map(({ deadlineMs }) => deadlineMs),
    plain,
  ),
  blobs(jobs.map(({ input }) => input)),
  optional(
    jobs.map(({ limits }) => limits && JSON.stringify(limits)),
    texts,
  ),
  optional(
    jobs.map(({ limits }) => limits && firstKey(limits)),
    texts,
  ),
]

/** Jobs that look up others, for `insert_jobs`. */
export const namedValues = (jobs: readonly NewJob[], { connection, kinds }: Parts): Values => [
  connection.now,
  connection.slot,
  JSON.stringify(kinds.of(jobs)),
  JSON.stringify(jobs.map((job) => toNewJob(job, kinds))),
]

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
  ...(job.limits && { limits: job.limits }),
  ...(job.fair && { fair: true }),
  input: `\\x${hex(job.input)}`,
})

/** A job that is kept to be inserted later: what `toNewJob` wrote. */
export function readNewJob(json: string, policy: Bytes): NewJob {
  const said = JSON.parse(json)
  const { id, name: job, queue, tenant, priority, fingerprint, tags, subject, limits } = said
  const spans = {
    runAt: said.run_at,
    delayMs: said.delay_ms,
    expiresInMs: said.expires_in_ms,
    deadlineMs: said.deadline_ms,
  }
  const unique = said.unique_value && {
    value: said.unique_value,
    until: said.unique_until,
    onConflict: said.on_conflict,
  }
  const more = { ...spans, fingerprint, tags, subject, limits, unique }
  const given = Object.entries(more).filter(([, value]) => value !== undefined && value !== null)
  const input = readBlob(said.input)
  return { id, job, queue, tenant, priority, input, policy, ...Object.fromEntries(given) }
}

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
  const [refused, key] = (verdict ?? '').split(/ (.*)/s)
  if (refused === 'LIMIT_REACHED') return { id: text(id), refused, key: key ?? '' }
  return { id: text(id), joined: verdict === 'joined' }
}
