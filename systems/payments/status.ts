import type { JobView } from 'errand'
import type { Seen } from './mass-payment.ts'

/** Queued, under way and done for each of the two jobs, the two other ends, and what nobody here can tell. */
export type Status =
  | 'queued_for_processing'
  | 'processing'
  | 'processed'
  | 'queued_for_creating'
  | 'creating'
  | 'created'
  | 'cancelled'
  | 'failed'
  | 'unknown'

/** What is known of one mass payment: the jobs that are kept, and what the backend has. */
export type Known = {
  create?: JobView | undefined
  confirm?: JobView | undefined
  cancel?: JobView | undefined
  payment?: Seen | undefined
}

/** One status of two jobs. Where neither is under way the backend knows best. */
export function statusOf({ create, confirm, cancel, payment }: Known): Status {
  if (create && !isEnded(create)) return hasBegun(create) ? 'processing' : 'queued_for_processing'
  // Rows were refused, and none of them was to be made then.
  if (create?.state === 'failed') return payment?.status === 'cancelled' ? 'cancelled' : 'failed'
  if (create?.state === 'cancelled') return 'cancelled'
  if (confirm && !isEnded(confirm)) return hasBegun(confirm) ? 'creating' : 'queued_for_creating'
  const { status = 'processed' } = payment ?? {}
  if (status !== 'processed' && status !== 'unknown') return status
  if (confirm?.state === 'failed') return 'failed'
  if (status === 'unknown') return status
  if (confirm?.state === 'completed') return 'created'
  // While the backend is away.
  return cancel?.state === 'completed' && !payment ? 'cancelled' : 'processed'
}

const WITH_ERRORS: readonly Status[] = ['processed', 'queued_for_creating', 'creating', 'created']

/** Rows were refused: told of the statuses that come after that was found out. */
export const isWithErrors = (status: Status, { create, confirm, payment }: Known): boolean =>
  WITH_ERRORS.includes(status) &&
  ((create?.withErrors ?? false) ||
    (confirm?.withErrors ?? false) ||
    (payment?.counts?.errored ?? 0) > 0)

/** As people read it: `processed with errors`. */
export const labelOf = (status: Status, withErrors: boolean): string =>
  `${status.replaceAll('_', ' ')}${withErrors ? ' with errors' : ''}`

export type Act = 'confirm' | 'cancel' | 'retry'

/** What its owner may do now: what is shown to him, and what is taken from him. */
export function actsOf(known: Known): Act[] {
  const { create, confirm, payment } = known
  const status = statusOf(known)
  if (isBeingCancelled(known)) return []
  if (status === 'failed')
    return isUnconfirmed({ confirm, payment }) ? ['retry', 'cancel'] : ['retry']
  // Only an operator calls that job off; its notes know how far it came.
  if (status === 'cancelled' && create?.state === 'cancelled') return ['retry']
  if (status !== 'processed') return []
  if (payment && isBarren(payment)) return ['cancel']
  return confirm ? ['confirm'] : ['confirm', 'cancel']
}

/**
 * An expiry whose time has not come cancels nothing yet. A cancel that waits for its next attempt was accepted; one
 * that the backend refused is over.
 */
export const isBeingCancelled = ({ cancel }: Known): boolean =>
  cancel !== undefined &&
  cancel.state !== 'cancelled' &&
  cancel.state !== 'failed' &&
  !isExpiry(cancel)

/** What the unique value of a cancel that somebody asked for ends with. */
export const AT_ONCE = ' now'

export const isExpiry = (cancel: JobView): boolean =>
  cancel.state === 'scheduled' &&
  !cancel.unique?.endsWith(AT_ONCE) &&
  !hasBegun(cancel) &&
  Date.parse(cancel.runAt) > Date.now()

/** Every row was refused: there is nothing to confirm. */
export const isBarren = ({ counts }: Seen): boolean =>
  counts !== undefined && counts.received > 0 && counts.errored >= counts.received

/** The backend would not confirm it, and still has it as it was. */
export const isUnconfirmed = ({ confirm, payment }: Known): boolean =>
  confirm?.state === 'failed' && payment?.status === 'processed'

export const isEnded = ({ state }: JobView): boolean =>
  state === 'completed' || state === 'failed' || state === 'cancelled'

/**
 * A job that waits for its next attempt, or for the backend, has begun all the same. One that a worker took and could
 * not run has said nothing of itself.
 */
export const hasBegun = ({ state, progress, attempt, waitingFor }: JobView): boolean =>
  state === 'running' ||
  progress !== undefined ||
  attempt > 1 ||
  (state === 'waiting' && waitingFor !== 'handler')

export const waitsForWorker = (job: JobView): boolean => !isEnded(job) && !hasBegun(job)
