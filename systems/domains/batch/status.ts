import type { BatchView, JobView } from 'errand'
import { DomainFacts } from '../contract.ts'
import type { BatchRecord } from './records.ts'
import { isOver } from './shared.ts'

/** `expired`: what was known of it is kept no longer. */
export type DomainStatus =
  | 'pending'
  | 'running'
  | 'retrying'
  | 'complete'
  | 'failed'
  | 'cancelled'
  | 'expired'
export type BatchWord = 'pending' | 'running' | 'complete' | 'partial' | 'failed' | 'cancelled'

const ENDED: Record<string, DomainStatus> = {
  running: 'running',
  completed: 'complete',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** How one domain stands, in the words of this API. */
export function toDomain(view: JobView) {
  const { id, state, attempt, attemptsMax, error, reason, progress, startedAt, endedAt } = view
  const facts = DomainFacts.safeParse(view.result).data
  const isFailure = state === 'failed' || (state === 'scheduled' && error)
  return {
    status: ENDED[state] ?? (attempt > 1 ? 'retrying' : 'pending'),
    job_id: id,
    attempt,
    attempts_max: attemptsMax,
    ...(state === 'running' && progress && { progress }),
    ...(facts && { title: facts.title, url: facts.url, pages: facts.pages.length }),
    ...(view.withErrors && { with_errors: true }),
    ...(isFailure && { error: { code: error?.code ?? reason, message: error?.message ?? reason } }),
    ...(state === 'scheduled' && { next_attempt_at: view.runAt }),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
  }
}

type Domain = Partial<ReturnType<typeof toDomain>> & { status: DomainStatus }

type Known = { batch?: BatchView; items?: readonly JobView[]; job?: JobView }

/** A batch and all its domains. `items` are those that Errand has; `job` is what will bring them in. */
export function toStatus(record: BatchRecord, { batch, items = [], job }: Known) {
  const views = new Map(items.map((view) => [view.index ?? 0, view]))
  const isThere = batch !== undefined && batch.state !== 'open'
  const unseen = isThere ? 'expired' : record.cancelledAt === undefined ? 'pending' : 'cancelled'
  const domains = record.domains.map((domain, i): [string, Domain] => {
    const view = views.get(i)
    return [domain, view ? toDomain(view) : { status: unseen }]
  })
  const status = wordOf(record, { batch, items, job })
  const total = record.domains.length
  const { completed = 0, failed = 0, endedAt } = batch ?? {}
  const cancelled = batch?.cancelled ?? (unseen === 'cancelled' ? total : 0)
  const [first] = items.flatMap(({ startedAt }) => startedAt ?? []).toSorted()
  const { handedAt } = record
  // Of domains that are kept no longer nobody knows when the first was begun: about when they were handed over.
  const isKnown = views.has(0) || handedAt === undefined
  const startedAt = isKnown ? first : new Date(handedAt).toISOString()
  return {
    batch_id: record.batchId,
    status,
    is_over: batch ? batch.state === 'ended' : status !== 'pending' && isOver(job),
    total_domains: total,
    completed_domains: completed,
    failed_domains: failed,
    cancelled_domains: cancelled,
    running_domains: domains.filter(([, one]) => one.status === 'running').length,
    progress: Math.round((100 * (completed + failed + cancelled)) / total),
    max_pages: record.maxPages,
    max_concurrent: record.maxConcurrent,
    user_id: record.userId,
    created_at: new Date(record.createdAt).toISOString(),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(endedAt !== undefined && { completed_at: endedAt }),
    ...(startedAt !== undefined && { processing_time: seconds(startedAt, endedAt) }),
    ...(status === 'failed' && { error: errorOf(failed, total, job) }),
    domains: Object.fromEntries(domains),
  }
}

export type BatchStatus = ReturnType<typeof toStatus>

function wordOf(
  { cancelledAt }: BatchRecord,
  {
    batch,
    items,
    job,
  }: { batch: BatchView | undefined; items: readonly JobView[]; job: JobView | undefined },
): BatchWord {
  if (batch?.outcome !== undefined) return endOf(batch)
  if (batch?.stopped) return 'cancelled'
  if (batch) return items.some(({ startedAt }) => startedAt !== undefined) ? 'running' : 'pending'
  if (cancelledAt !== undefined || job?.state === 'cancelled') return 'cancelled'
  return job?.state === 'failed' ? 'failed' : 'pending'
}

/** A cancel that came when nothing was left to be stopped changed nothing. */
function endOf({ outcome, completed, failed, cancelled }: BatchView): BatchWord {
  if (outcome === 'cancelled' && cancelled > 0) return 'cancelled'
  if (failed + cancelled === 0) return 'complete'
  return completed === 0 ? 'failed' : 'partial'
}

function errorOf(failed: number, total: number, job: JobView | undefined) {
  if (failed > 0) return { code: 'ALL_FAILED', message: `${failed} of ${total} domains failed` }
  return { code: job?.error?.code ?? job?.reason, message: job?.error?.message }
}

const seconds = (from: string, to: string | undefined): number =>
  Math.max(0, (to === undefined ? Date.now() : Date.parse(to)) - Date.parse(from)) / 1000
