import type { Clock, Millis } from '../../../src/base/time.ts'
import type { JobId, WorkerId } from '../../../src/job/job.ts'
import type { State } from '../../../src/job/state.ts'
import type { Entry, Registration } from '../../../src/store/contract.ts'
import type { Kept } from './batch.ts'
import type { Row } from './row.ts'

export type Worker = Registration & {
  readonly registeredAt: Millis
  leaseUntil: Millis
  /** Since when its lease has never run out: who sweeps must have lasted for one whole lease. */
  unbrokenFrom: Millis
  goneAt: Millis | undefined
  /** The last two numbers of its exchanges and sweeps. */
  newest: number
  second: number
}

export type Alias = { readonly job: JobId; readonly fingerprint: string; readonly until: Millis }

/** Everything a store remembers, in maps. */
export class Ledger {
  readonly jobs = new Map<JobId, Row>()
  /** Requests that joined another job, by the id under which they came. */
  readonly aliases = new Map<JobId, Alias>()
  readonly workers = new Map<WorkerId, Worker>()
  /** What each exchange handed out, by worker and number. The row says whether it still runs under this fence. */
  readonly receipts = new Map<string, { readonly row: Row; readonly fence: number }[]>()
  readonly batches = new Map<JobId, Kept>()
  /** What is kept beside jobs, by kind and name. */
  readonly entries = new Map<string, Entry>()
  readonly queues = new Map<string, { accepted: number; erased: number }>()
  /** Which key holds whom by now, as the store has it. */
  chosen: ReadonlyMap<JobId, string> = new Map()
  readonly #clock: Clock
  #turns = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get now(): Millis {
    return this.#clock.now()
  }

  nextTurn(): number {
    return ++this.#turns
  }

  /** Every job of a state in the order of arrival. */
  in(state: State): Row[] {
    return [...this.jobs.values()].filter((row) => row.state === state)
  }

  heldBy(worker: WorkerId): Row[] {
    return this.in('running').filter((row) => row.worker === worker)
  }
}
