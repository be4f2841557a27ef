import { derivedId } from '../base/id.ts'
import type { Bytes } from '../base/json.ts'
import { encodeJson } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { JobId, NewJob } from './job.ts'
import { iso } from './view.ts'

/** Items followed together: jobs of one definition, each at its place, with a job at the end. */

/** A batch about to be opened. Spans count from its end. */
export type NewBatch = {
  id: JobId
  /** The definition that its items are of. */
  job: string
  tenant: string
  keepMs: Millis
  /** It is stopped once more of its items than these have failed. */
  failedMax?: number
  /**
   * The job inserted by the step that ends it, a hook whose subject is the batch; the last four digits of its id
   * count the endings, since an item that is given another life opens a batch again.
   */
  end?: NewJob
  /** Tells a repeat of the same request from another request under the same id. */
  fingerprint?: string
}

/** How many items it has, and what has become of them. Those that are erased still count. */
export type BatchTally = {
  items: number
  completed: number
  /** Of those that completed. */
  withErrors: number
  failed: number
  cancelled: number
}

/** Why no more of its items are begun: somebody asked, too many failed, or nobody ever closed it. */
export const STOPS = ['asked', 'failures', 'unclosed'] as const
export type Stop = (typeof STOPS)[number]

/** A batch as it lies in the store: open, closed, and ended once all its items are. */
export type Batch = Omit<NewBatch, 'end'> &
  BatchTally & {
    createdAt: Millis
    /** When items came last. */
    filledAt: Millis
    /** Since when it takes no more items. */
    closedAt?: Millis
    endedAt?: Millis
    stopped?: Stop
    /** How many of its items are gone from the store. */
    erased: number
    endings: number
  }

/** Where a job stands in its batch, counted from 0. */
export type Place = { batch: JobId; index: number }

/**
 * The same item, whoever sends it, however often. The first digits tell the batch, the last eight its place: so items lie
 * side by side in an index, and many cost one digest.
 */
export function itemId({ batch, index }: Place): JobId {
  if (latest.batch !== batch) latest = { batch, prefix: derivedId('item', batch).slice(0, -8) }
  return latest.prefix + index.toString(16).padStart(8, '0')
}

let latest = { batch: '', prefix: '' }

export const isOver = ({ items, completed, failed, cancelled }: BatchTally): boolean =>
  completed + failed + cancelled >= items

const ENDINGS_MAX = 0xffff

/** The job of an ending: each has its own. */
export function endJobOf(end: NewJob, ending: number): NewJob {
  const count = Math.min(ending, ENDINGS_MAX).toString(16).padStart(4, '0')
  return { ...end, id: end.id.slice(0, -4) + count }
}

/** What the handler of the job at the end is given. */
export type BatchEnded = BatchTally & { batch: JobId; job: string; stopped?: Stop }

/** That as bytes, in the place of the input of a hook's subject. */
export function encodeTally({
  items,
  completed,
  withErrors,
  failed,
  cancelled,
  stopped,
}: Batch): Bytes {
  const tally = { items, completed, withErrors, failed, cancelled, ...(stopped && { stopped }) }
  return encodeJson(tally) ?? new Uint8Array()
}

/** A batch as people see it. Times are ISO 8601; what is absent is left out. */
export type BatchView = {
  id: JobId
  job: string
  tenant?: string
  /** `open` while items come, `closed` while they are worked on, then `ended`. */
  state: 'open' | 'closed' | 'ended'
  /** What it came to, once it has ended. */
  outcome?: 'completed' | 'partial' | 'failed' | 'cancelled'
  items: number
  /** Those that have not ended. */
  pending: number
  completed: number
  withErrors: number
  failed: number
  cancelled: number
  stopped?: Stop
  failedMax?: number
  createdAt: string
  closedAt?: string
  endedAt?: string
}

export function toBatchView(batch: Batch): BatchView {
  const { id, job, tenant, items, completed, withErrors, failed, cancelled, stopped } = batch
  const { createdAt, closedAt, endedAt, failedMax } = batch
  return {
    id,
    job,
    ...(tenant !== '' && { tenant }),
    state: endedAt !== undefined ? 'ended' : closedAt !== undefined ? 'closed' : 'open',
    ...(endedAt !== undefined && { outcome: outcomeOf(batch) }),
    items,
    pending: items - completed - failed - cancelled,
    completed,
    withErrors,
    failed,
    cancelled,
    ...(stopped && { stopped }),
    ...(failedMax !== undefined && { failedMax }),
    createdAt: iso(createdAt),
    ...(closedAt !== undefined && { closedAt: iso(closedAt) }),
    ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
  }
}

function outcomeOf({ stopped, items, completed, failed }: Batch): BatchView['outcome'] & string {
  if (stopped === 'failures') return 'failed'
  if (stopped !== undefined) return 'cancelled'
  if (completed === items) return 'completed'
  if (completed > 0) return 'partial'
  return failed > 0 ? 'failed' : 'cancelled'
}
