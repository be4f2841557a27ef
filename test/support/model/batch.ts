import {
  type Batch,
  type BatchTally,
  endJobOf,
  isOver,
  type NewBatch,
  type Stop,
} from '../../../src/job/batch.ts'
import type { JobId, NewJob } from '../../../src/job/job.ts'
import type { BatchChange, Filled } from '../../../src/store/contract.ts'
import { insert } from './insert.ts'
import type { Ledger } from './ledger.ts'
import type { Row } from './row.ts'

/** A batch with the very rows of its items, those that are erased included: its tally is counted anew. */
export type Kept = Pick<
  Batch,
  'createdAt' | 'filledAt' | 'closedAt' | 'endedAt' | 'stopped' | 'endings'
> & {
  readonly turn: number
  given: NewBatch
  readonly rows: Row[]
}

const tallyOf = ({ rows }: Kept): BatchTally => {
  const count = (is: (row: Row) => boolean) => rows.filter(is).length
  return {
    items: rows.length,
    completed: count(({ state }) => state === 'completed'),
    withErrors: count(({ withErrors }) => withErrors),
    failed: count(({ state }) => state === 'failed'),
    cancelled: count(({ state }) => state === 'cancelled'),
  }
}

/** What `findBatches` shows of it; a field that is undefined here is absent there. */
export function viewOf(ledger: Ledger, batch: Kept): Batch {
  const { given, rows, turn: _, ...rest } = batch
  const { end: __, ...said } = given
  const erased = rows.filter((row) => ledger.jobs.get(row.given.id) !== row).length
  return { ...said, ...rest, ...tallyOf(batch), erased }
}

export function changeBatch(ledger: Ledger, id: JobId, change: BatchChange): Batch | undefined {
  const { now, batches } = ledger
  if (change.to === 'open' && !batches.has(id))
    batches.set(id, {
      turn: ledger.nextTurn(),
      given: change.batch,
      rows: [],
      createdAt: now,
      filledAt: now,
      endings: 0,
    })
  const batch = batches.get(id)
  if (!batch) return undefined
  const isNews = change.to === 'closed' && batch.closedAt === undefined
  if (change.to === 'closed' && isNews) {
    batch.closedAt = now
    const failedMax = change.failedMax ?? batch.given.failedMax
    batch.given = { ...batch.given, ...(failedMax !== undefined && { failedMax }) }
  }
  if (change.to === 'stopped') stop(batch, change.why, now)
  judge(ledger, batch, isNews)
  return viewOf(ledger, batch)
}

/** Counts those that were not here. Where nothing is sent, no batch is looked at. */
export function fillBatch(ledger: Ledger, id: JobId, items: readonly NewJob[]): Filled {
  const batch = ledger.batches.get(id)
  if (!batch) return { refused: 'gone' }
  if (batch.closedAt !== undefined) return { refused: 'closed' }
  batch.filledAt = ledger.now
  const inserted = items.map((item) => {
    const before = ledger.jobs.get(item.id)
    const answer = insert(ledger, item)
    const row = ledger.jobs.get(item.id)
    if (row && row !== before) batch.rows.push(row)
    return answer
  })
  return { inserted }
}

export function stoppedBatches(ledger: Ledger, idleMs: number): Batch[] {
  const idle = inOrder(ledger).filter(
    ({ closedAt, filledAt }) => closedAt === undefined && filledAt <= ledger.now - idleMs,
  )
  for (const batch of idle) {
    stop(batch, 'unclosed', ledger.now)
    judge(ledger, batch, false)
  }
  return inOrder(ledger)
    .filter(({ stopped, endedAt }) => stopped !== undefined && endedAt === undefined)
    .map((batch) => viewOf(ledger, batch))
}

/** A call that may end items: what has become of batches is judged once it is through. */
export function judged<Answer>(ledger: Ledger, call: () => Answer): Answer {
  const before = new Map([...ledger.batches.values()].map((one) => [one, tallyOf(one).failed]))
  const answer = call()
  for (const batch of inOrder(ledger))
    judge(ledger, batch, tallyOf(batch).failed > (before.get(batch) ?? 0))
  return answer
}

/** The batches whose time is over, with all their items, and whose last job may not run any more. */
export const ripeBatches = (ledger: Ledger): JobId[] =>
  inOrder(ledger)
    .filter((batch) => {
      const { endedAt = Infinity, given, rows } = batch
      const mayRun = [...ledger.jobs.values()].some(
        (row) => row.given.subject === given.id && row.state !== 'completed',
      )
      const isKept = rows.some((row) => ledger.jobs.get(row.given.id) === row)
      return endedAt + given.keepMs <= ledger.now && !mayRun && !isKept
    })
    .map(({ given }) => given.id)

/** Whether a job is an item that may be sent again. */
export const mayCome = (ledger: Ledger, { given: { place } }: Row): boolean => {
  const batch = place && ledger.batches.get(place.batch)
  return batch !== undefined && batch.closedAt === undefined
}

const inOrder = ({ batches }: Ledger): Kept[] =>
  [...batches.values()].toSorted((a, b) => (a.given.id < b.given.id ? -1 : 1))

function stop(batch: Kept, why: Stop, now: number): void {
  if (batch.stopped || batch.endedAt !== undefined) return
  batch.stopped = why
  batch.closedAt ??= now
}

function judge(ledger: Ledger, batch: Kept, isNews: boolean): void {
  const { failedMax = Infinity, end } = batch.given
  const tally = tallyOf(batch)
  if (isNews && tally.failed > failedMax) stop(batch, 'failures', ledger.now)
  if (!isOver(tally)) {
    if (batch.endedAt === undefined) return
    delete batch.endedAt
    delete batch.stopped
  } else if (batch.closedAt !== undefined && batch.endedAt === undefined) {
    batch.endedAt = ledger.now
    batch.endings++
    if (end) insert(ledger, endJobOf(end, batch.endings))
  }
}
