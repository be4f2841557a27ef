import { type Desk, ErrandError, type JobView } from 'errand'
import { beganAt } from './began.ts'
import { Checklist, llmLimit, QUEUE } from './contract.ts'
import { toError } from './failures.ts'
import { millis, settings } from './settings.ts'

/** The four words of this API. */
export type Status = 'PENDING' | 'PROCESSING' | 'COMPLETED' | 'FAILED'

/**
 * A job that has begun is PROCESSING until it ends, also while it waits for its next attempt or for the LLM: who asks
 * never sees it go back. Only a person's retry brings a FAILED one to PENDING again.
 */
function statusOf(state: JobView['state'], began: string | undefined): Status {
  if (state === 'completed') return 'COMPLETED'
  if (state === 'failed' || state === 'cancelled') return 'FAILED'
  return began === undefined ? 'PENDING' : 'PROCESSING'
}

/** Only one that has ended tells what it is about. */
export const isOver = ({ state }: Pick<JobView, 'state'>): boolean =>
  ['completed', 'failed', 'cancelled'].includes(state)

/** The job behind an event id. @throws ErrandError JOB_NOT_FOUND, also for other jobs' ids and other tenants' */
export async function findEvent(errand: Desk, id: string, tenant: string): Promise<JobView> {
  const view = await errand.job(id)
  if (view.queue !== QUEUE || (view.tenant ?? '') !== tenant)
    throw new ErrandError('JOB_NOT_FOUND', { id })
  return view
}

type Seen = Pick<Desk, 'attempts' | 'logs' | 'steps' | 'why'>

/** A job in the words of this API. `result` is there when it is COMPLETED, `error` when it FAILED. */
export async function toEvent(errand: Seen, view: JobView) {
  const { id, state, createdAt, startedAt, endedAt, runAt, priority, attempt, progress } = view
  // Asked before it is known whether it has begun: a store that is busy makes each trip a wait.
  const [began, recorded] = await Promise.all([
    beganAt(errand, view),
    isOver(view) || startedAt === undefined ? [] : errand.steps(id),
  ])
  const status = statusOf(state, began)
  const steps = status === 'PROCESSING' ? recorded : []
  const [position, error] = await Promise.all([
    state === 'ready' && status === 'PENDING' ? errand.why(id) : undefined,
    status === 'FAILED' ? toError(errand, view) : undefined,
  ])
  return {
    event_id: id,
    status,
    priority: wordOf(priority),
    created_at: createdAt,
    updated_at:
      endedAt ?? latest([createdAt, startedAt, since(view), ...steps.map(({ at }) => at)]),
    retry_count: attempt - 1,
    ...(position?.ahead !== undefined && { queue_position: position.ahead + 1 }),
    ...(state === 'running' && progress?.status && { current_step: progress.status }),
    ...(status === 'PROCESSING' && { steps_done: steps.map(({ name }) => name) }),
    ...(status === 'PROCESSING' && state === 'scheduled' && { next_retry_at: runAt }),
    ...(state === 'waiting' && { waiting_for: waitingFor(view), until: view.wakesAt }),
    ...(began && { processing_time_seconds: seconds(began, endedAt) }),
    ...(endedAt && { finished_at: endedAt }),
    ...(status === 'COMPLETED' && toResult(view)),
    ...(error && { error }),
  }
}

function waitingFor({ waitingFor: what }: JobView): string {
  if (what === 'handler') return 'a worker that can run it'
  return what === `limit:${llmLimit.name}`
    ? 'the LLM asked for a pause'
    : 'its turn to call the LLM'
}

/** Whether it has a result that none of the keys here opens. */
export const isSealedAway = ({ state, sealed, result, dropped = [] }: JobView): boolean =>
  state === 'completed' && sealed === true && result === undefined && !dropped.includes('result')

/** What is left of a result is the result. */
const toResult = (view: JobView) =>
  isSealedAway(view) ? { sealed: true } : { result: Checklist.safeParse(view.result).data ?? null }

/** What a POST answers: the event can be asked about at once. */
export const toAccepted = (id: string, joined: boolean, status: Status = 'PENDING') => ({
  event_id: id,
  status,
  estimated_completion: new Date(Date.now() + millis(settings.EXPECTED)).toISOString(),
  ...(joined && { joined }),
})

/** When it came into the line where it stands, as after a person's retry. */
const since = ({ state, runAt }: JobView): string | undefined =>
  state === 'ready' && Date.parse(runAt) <= Date.now() ? runAt : undefined

const wordOf = (priority: number) => (priority < 5 ? 'high' : priority > 5 ? 'low' : 'normal')

const latest = (times: (string | undefined)[]) =>
  times.reduce<string>((last, at = '') => (at > last ? at : last), '')

const seconds = (from: string, to = new Date().toISOString()) =>
  Math.max(0, Date.parse(to) - Date.parse(from)) / 1000
