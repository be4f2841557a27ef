import type { Bytes } from '../../../src/base/json.ts'
import type { Clock } from '../../../src/base/time.ts'
import type { JobId, NewJob, WorkerId } from '../../../src/job/job.ts'
import type * as contract from '../../../src/store/contract.ts'
import * as batch from './batch.ts'
import { entries, put } from './entries.ts'
import { cancel, erase, purge, retry, ripe } from './change.ts'
import { exchange, sweep } from './exchange.ts'
import { holderOf, insert } from './insert.ts'
import { Ledger } from './ledger.ts'
import { post } from './mail.ts'
import { seen } from './row.ts'
import { held } from './settle.ts'
import { tally, workers } from './look.ts'

/**
 * The contract as the obvious program: maps, sorted anew at every claim. A store that answers otherwise
 * is wrong. Where the contract leaves a store free the model is told what it chose, as the last argument.
 * A field that is undefined here is absent in a store.
 */
export class Model {
  readonly ledger: Ledger

  constructor(clock: Clock) {
    this.ledger = new Ledger(clock)
  }

  insert = (jobs: readonly NewJob[]) => jobs.map((job) => insert(this.ledger, job, true))

  cancel = (cancels: readonly contract.Cancel[]) =>
    batch.judged(this.ledger, () => cancels.map((one) => cancel(this.ledger, one)))

  retry = (ids: readonly JobId[], input?: Bytes) =>
    batch.judged(this.ledger, () => ids.map((id) => retry(this.ledger, id, input)))

  changeBatch = (id: JobId, change: contract.BatchChange) =>
    batch.changeBatch(this.ledger, id, change)

  fillBatch = (id: JobId, items: readonly NewJob[]) => batch.fillBatch(this.ledger, id, items)

  stoppedBatches = (idleMs: number) => batch.stoppedBatches(this.ledger, idleMs)

  findBatches = (ids: readonly JobId[]) =>
    ids.map((id) => {
      const found = this.ledger.batches.get(id)
      return found && batch.viewOf(this.ledger, found)
    })

  listBatches = (tenant: string | undefined): JobId[] =>
    [...this.ledger.batches.values()]
      .filter(({ given }) => tenant === undefined || given.tenant === tenant)
      .toSorted((a, b) => b.turn - a.turn)
      .map(({ given }) => given.id)

  ripeBatches = () => batch.ripeBatches(this.ledger)

  purgeBatches(ids: readonly JobId[]): void {
    for (const id of ids) this.ledger.batches.delete(id)
  }

  register(worker: contract.Registration): void {
    const { now, workers } = this.ledger
    if (workers.has(worker.id)) return
    const lease = { registeredAt: now, leaseUntil: now + worker.leaseMs, unbrokenFrom: now }
    workers.set(worker.id, { ...worker, ...lease, goneAt: undefined, newest: 0, second: 0 })
  }

  put = (changes: readonly contract.Change[]) =>
    batch.judged(this.ledger, () => changes.map((one) => put(this.ledger, one)))

  entries = (kind: string, which?: 'due') => entries(this.ledger, kind, which)

  exchange(
    worker: WorkerId,
    n: number,
    settlements: readonly contract.Settlement[],
    claim: contract.Claim,
    queues: readonly string[],
  ) {
    return exchange(this.ledger, worker, n, settlements, claim, queues)
  }

  sweep(worker: WorkerId, n: number, limit: number, taken: readonly JobId[]) {
    return sweep(this.ledger, worker, n, limit, taken)
  }

  /** Late is not gone: a lease that nobody ended goes on, but it is a new one. */
  renew(id: WorkerId): contract.Renewed {
    const { now, workers } = this.ledger
    const worker = workers.get(id)
    if (!worker || worker.goneAt !== undefined) return { alive: false }
    worker.unbrokenFrom = worker.leaseUntil <= now ? now : Math.min(worker.unbrokenFrom, now)
    worker.leaseUntil = now + worker.leaseMs
    const asked = this.ledger.heldBy(id).filter(({ cancelAsked }) => cancelAsked)
    return { alive: true, cancelAsked: asked.map(({ given }) => given.id) }
  }

  note(worker: WorkerId, notes: readonly contract.Note[]): contract.Answer[] {
    return notes.map(({ id, fence, progress, step }) => {
      const row = held(this.ledger, worker, id, fence)
      if (typeof row === 'string') return row
      if (progress) Object.assign(row, { progress, rev: row.rev + 1 })
      if (step && !row.steps.some(({ name }) => name === step.name)) {
        row.steps.push({ ...step, at: this.ledger.now })
        Object.assign(row, { crashes: 0, rev: row.rev + 1 })
      }
      return 'done'
    })
  }

  retire(id: WorkerId): void {
    const { now, workers } = this.ledger
    const worker = workers.get(id)
    if (!worker) return
    worker.goneAt ??= now
    worker.leaseUntil = Math.min(worker.leaseUntil, now)
  }

  unpark(names: readonly string[]): number {
    const rows = this.ledger
      .in('waiting')
      .filter(({ given, waitingFor }) => waitingFor === 'handler' && names.includes(given.job))
    for (const row of rows)
      Object.assign(row, { state: 'ready', waitingFor: undefined, rev: row.rev + 1 })
    return rows.length
  }

  /** What a purge may erase; `must`: what one without a bound leaves to no other. */
  ripe(): { may: JobId[]; must: JobId[] } {
    const rows = ripe(this.ledger)
    const idsOf = (some: typeof rows) => some.map(({ given }) => given.id)
    // Of items too it may have put some off: until their batch was closed.
    const isSure = ({ hooked, given }: (typeof rows)[number]) => !hooked && !given.place
    return { may: idsOf(rows), must: idsOf(rows.filter(isSure)) }
  }

  purge = (erased: readonly JobId[]) => purge(this.ledger, erased)

  erase = (ids: readonly JobId[]) => ids.map((id) => erase(this.ledger, id))

  find = (ids: readonly JobId[]) =>
    ids.map((id) => {
      const row = this.ledger.jobs.get(id)
      return row && seen(row)
    })

  attempts = (id: JobId) => this.ledger.jobs.get(id)?.attempts ?? []

  post = (letters: readonly contract.Letter[]) => letters.map((one) => post(this.ledger, one))

  mail = (id: JobId) => this.ledger.jobs.get(id)?.mail ?? []

  steps = (id: JobId) => this.ledger.jobs.get(id)?.steps ?? []

  holder = (tenant: string, job: string, unique: string): JobId | undefined =>
    holderOf(this.ledger, tenant, job, unique)?.given.id

  tally = () => tally(this.ledger)

  workers = () => workers(this.ledger)
}
