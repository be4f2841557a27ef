import { encodeTally } from '../../../src/job/batch.ts'
import type { JobId, WorkerId } from '../../../src/job/job.ts'
import { type Claim, PAUSE, type Settlement } from '../../../src/store/contract.ts'
import { judged, viewOf } from './batch.ts'
import type { Ledger } from './ledger.ts'
import { admit, mayLeave } from './limits.ts'
import { wake } from './mail.ts'
import { handed, type Row } from './row.ts'
import { settle } from './settle.ts'

/** Settles and claims, once per number. `order`: in which order a store looked at queues that were not named. */
export function exchange(
  ledger: Ledger,
  worker: WorkerId,
  n: number,
  settlements: readonly Settlement[],
  claim: Claim,
  order: readonly string[],
) {
  const standing = number(ledger, worker, n)
  if (standing === 'gone' || standing === 'closed') return { refused: standing }
  const answers = judged(ledger, () =>
    settlements.map((settlement) => settle(ledger, worker, settlement)),
  )
  const nextDueMs = promote(ledger)
  admit(ledger, ledger.chosen)
  const rows = standing === 'new' ? claimable(ledger, claim, order) : []
  for (const row of rows) row.startedAt = ledger.now
  hand(ledger, worker, n, rows)
  return { answers, jobs: receipt(ledger, worker, n), now: ledger.now, nextDueMs }
}

/** Takes over what dead workers hold. `order`: in which order a store took it. */
export function sweep(
  ledger: Ledger,
  worker: WorkerId,
  n: number,
  limit: number,
  order: readonly JobId[],
) {
  const standing = number(ledger, worker, n)
  if (standing === 'gone' || standing === 'closed') return { refused: standing }
  if (standing === 'new') {
    judge(ledger, worker)
    const orphans = ledger.in('running').filter(({ worker: of = '' }) => isGone(ledger, of))
    const rows = inOrder(orphans, ({ given }) => given.id, order).slice(0, limit)
    hand(ledger, worker, n, rows)
  }
  return { answers: [], jobs: receipt(ledger, worker, n), now: ledger.now }
}

const isGone = (ledger: Ledger, worker: WorkerId) =>
  ledger.workers.get(worker)?.goneAt !== undefined

/** The last two numbers are remembered, whether or not they handed out anything. */
function number(ledger: Ledger, id: WorkerId, n: number): 'gone' | 'closed' | 'new' | 'again' {
  const worker = ledger.workers.get(id)
  if (!worker || isGone(ledger, id)) return 'gone'
  if (n === worker.newest || n === worker.second) return 'again'
  if (n < worker.second) return 'closed'
  worker.second = Math.min(n, worker.newest)
  worker.newest = Math.max(n, worker.newest)
  return 'new'
}

/** Whoever has lasted for one whole lease may say that others have not. No lease lasts longer than a lease. */
function judge(ledger: Ledger, id: WorkerId): void {
  const { now } = ledger
  const present = [...ledger.workers.values()].filter(({ goneAt }) => goneAt === undefined)
  for (const worker of present)
    worker.leaseUntil = Math.min(worker.leaseUntil, now + worker.leaseMs)
  const judge = ledger.workers.get(id)
  if (!judge || judge.leaseUntil <= now || now - judge.unbrokenFrom < judge.leaseMs) return
  for (const worker of present)
    if (worker !== judge && worker.leaseUntil <= now) worker.goneAt = now
}

/** Makes ready what is due; says when the next job is. */
function promote(ledger: Ledger): number | undefined {
  for (const row of ledger.in('scheduled')) {
    if (row.runAt > ledger.now) continue
    row.state = 'ready'
    row.rev++
  }
  const asleep = ledger.in('waiting').filter(({ wakesAt = Infinity }) => wakesAt < Infinity)
  for (const row of asleep) if ((row.wakesAt ?? 0) <= ledger.now) wake(row, row.wakesAt ?? 0)
  const left = [...ledger.in('scheduled'), ...ledger.in('waiting')]
    .map((row) => (row.state === 'scheduled' ? row.runAt : (row.wakesAt ?? Infinity)) - ledger.now)
    .filter((ms) => ms < Infinity)
  return left.length > 0 ? Math.min(...left) : undefined
}

/** Of each queue that is not paused by priority, then by the moment of becoming ready, then by arrival (C7). */
function claimable(ledger: Ledger, { queues, limit }: Claim, order: readonly string[]): Row[] {
  const ready = ledger
    .in('ready')
    .filter((row) => mayLeave(row) && !ledger.entries.has(`${PAUSE} ${row.given.queue}`))
    .toSorted((a, b) => a.given.priority - b.given.priority || a.runAt - b.runAt || a.turn - b.turn)
  const all = [...new Set(ready.map(({ given }) => given.queue))]
  const lines = queues.length > 0 ? queues : inOrder(all, (queue) => queue, order)
  return [...new Set(lines)]
    .flatMap((queue) => ready.filter(({ given }) => given.queue === queue))
    .slice(0, limit)
}

function hand(ledger: Ledger, worker: WorkerId, n: number, rows: readonly Row[]): void {
  for (const row of rows) {
    row.state = 'running'
    row.fence = Math.max(row.fence + 1, ledger.now)
    row.worker = worker
    row.rev++
    // Of a batch that is stopped none is begun any more.
    if (ledger.batches.get(row.given.place?.batch ?? '')?.stopped) row.cancelAsked = true
  }
  if (rows.length === 0) return
  ledger.receipts.set(
    `${worker} ${n}`,
    rows.map((row) => ({ row, fence: row.fence })),
  )
}

/** What an exchange handed out and still runs: the same whenever it is asked for. */
const receipt = (ledger: Ledger, worker: WorkerId, n: number) =>
  (ledger.receipts.get(`${worker} ${n}`) ?? [])
    .filter(({ row, fence }) => row.state === 'running' && row.fence === fence)
    .map(({ row }) => handed(row, subjectOf(ledger, row.given.subject ?? '')))

/** What a hook looks back on: of a batch its tally, as it stands now. */
function subjectOf(ledger: Ledger, id: JobId) {
  const batch = ledger.batches.get(id)
  return ledger.jobs.get(id) ?? (batch && { input: encodeTally(viewOf(ledger, batch)) })
}

/** Those that are named come first, as they are named. */
const inOrder = <Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  order: readonly string[],
): Item[] => {
  const place = (item: Item) => order.indexOf(nameOf(item)) + 1 || Infinity
  return items.toSorted((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)))
}
