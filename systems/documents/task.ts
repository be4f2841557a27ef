import type { Desk, JobView } from 'errand'
import { PdfResult } from './contract.ts'

/** The six words that clients of Celery know. */
type Status = 'PENDING' | 'STARTED' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED'

/** A job in the words of the documents API: `result` is null until SUCCESS. */
export function toTask(view: JobView, errand: Desk) {
  const status = statusOf(view)
  const { id, progress, error } = view
  return {
    task_id: id,
    status,
    result: status === 'SUCCESS' ? toResult(view, errand) : null,
    ...(status === 'STARTED' && progress && { progress }),
    ...(status === 'FAILURE' && error && { error: { name: error.name, message: error.message } }),
  }
}

export function statusOf({ state, attempt }: Pick<JobView, 'state' | 'attempt'>): Status {
  if (state === 'completed') return 'SUCCESS'
  if (state === 'failed') return 'FAILURE'
  if (state === 'cancelled') return 'REVOKED'
  if (state === 'running') return 'STARTED'
  return attempt > 1 ? 'RETRY' : 'PENDING'
}

function toResult({ id, result }: JobView, errand: Desk) {
  const { file, pages, bytes } = PdfResult.parse(result)
  return { file, pages, bytes, url: errand.link(id, file, '7d') }
}
