import type { Desk, JobView } from 'errand'
import { fileTag } from '../files/contract.ts'
import { kindOf } from './kinds.ts'

/** The six words that clients of Celery know. */
type Status = 'PENDING' | 'STARTED' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED'

const LINK_FOR = '7d'

type Reader = Pick<Desk, 'list' | 'link'>

/** A job in the words of the documents API: `result` is null until SUCCESS. */
export async function toTask(view: JobView, errand: Reader) {
  const own = statusOf(view)
  const status = (await isBetweenAttempts(view, errand)) ? 'RETRY' : own
  const { id, progress, withErrors } = view
  const error = status === 'FAILURE' ? await errorOf(view, errand) : undefined
  return {
    task_id: id,
    status,
    result: status === 'SUCCESS' ? toResult(view, errand) : null,
    ...(own === 'STARTED' && progress && { progress }),
    ...(withErrors && { with_errors: true }),
    ...(error && { error: { name: error.name, message: error.message } }),
  }
}

/** The same in a list of several kinds. */
export async function toEntry(view: JobView, errand: Reader) {
  const { createdAt, endedAt } = view
  return {
    ...(await toTask(view, errand)),
    kind: kindOf(view),
    created_at: createdAt,
    ...(endedAt !== undefined && { ended_at: endedAt }),
  }
}

type Standing = Pick<JobView, 'state' | 'attempt' | 'waitingFor'>

export function statusOf({ state, attempt, waitingFor }: Standing): Status {
  if (state === 'completed') return 'SUCCESS'
  if (state === 'failed') return 'FAILURE'
  if (state === 'cancelled') return 'REVOKED'
  // A chain is at work while a job that it called is.
  if (state === 'running' || waitingFor?.startsWith('call:')) return 'STARTED'
  return attempt > 1 ? 'RETRY' : 'PENDING'
}

/** Whether a chain waits for a link that has failed, and is tried again later. */
async function isBetweenAttempts({ id, tenant = '', waitingFor }: JobView, errand: Reader) {
  if (!waitingFor?.startsWith('call:')) return false
  const { jobs } = await errand.list({ tag: fileTag(id), tenant, state: 'scheduled' }, 1)
  return jobs.length > 0
}

/** What was thrown first: where a chain broke, the error of the link that did. */
async function errorOf({ id, tenant, error }: JobView, errand: Reader) {
  if (error?.name !== 'ChildFailed') return error
  const { jobs } = await errand.list({ tag: fileTag(id), tenant: tenant ?? '', state: 'failed' }, 1)
  return jobs[0]?.error ?? error
}

/** What the job came to, with a link to its file where it has one. */
function toResult({ id, result, artifacts = [] }: JobView, errand: Reader) {
  if (typeof result !== 'object' || result === null) return result ?? {}
  const [first] = artifacts
  return { ...result, ...(first && { url: errand.link(id, first.file, LINK_FOR) }) }
}
