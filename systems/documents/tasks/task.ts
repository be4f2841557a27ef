import type { Desk, JobView } from 'errand'
import { kindOf } from './kinds.ts'

/** The six words that clients of Celery know. */
type Status = 'PENDING' | 'STARTED' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED'

const LINK_FOR = '7d'

/** A job in the words of the documents API: `result` is null until SUCCESS. */
export function toTask(view: JobView, errand: Desk) {
  const status = statusOf(view)
  const { id, progress, error, withErrors } = view
  return {
    task_id: id,
    status,
    result: status === 'SUCCESS' ? toResult(view, errand) : null,
    ...(status === 'STARTED' && progress && { progress }),
    ...(withErrors && { with_errors: true }),
    ...(status === 'FAILURE' && error && { error: { name: error.name, message: error.message } }),
  }
}

/** The same in a list of several kinds. */
export function toEntry(view: JobView, errand: Desk) {
  const { createdAt, endedAt } = view
  return {
    ...toTask(view, errand),
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

/** What the job came to, with a link to its file where it has one. */
function toResult({ id, result, artifacts = [] }: JobView, errand: Desk) {
  if (typeof result !== 'object' || result === null) return result ?? {}
  const [first] = artifacts
  return { ...result, ...(first && { url: errand.link(id, first.file, LINK_FOR) }) }
}
