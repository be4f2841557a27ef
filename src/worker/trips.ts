import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../base/failpoint.ts'
import type { Millis } from '../base/time.ts'
import { ErrandError } from '../job/errors.ts'
import { encodeFailure } from '../job/failure.ts'
import type { Claimed, WorkerId } from '../job/job.ts'
import { decide, type Outcome } from '../job/outcome.ts'
import type { Claim, Exchanged, Settlement, Workbench } from '../store/contract.ts'

export type Handed = Exclude<Exchanged, { refused: string }>
/** An attempt that ended, on its way to the store. */
export type Ended = { settlement: Settlement; job: Claimed; ranMs: Millis; isRefused?: boolean }

const SWEEP_MAX = 100
const RETRY_MS = 250
/** What waiting cannot mend: whoever started this worker registers anew, or gives up. */
const LASTING: readonly string[] = ['WORKER_GONE', 'STORE_CLOSED', 'STORE_CORRUPT', 'STORE_CHANGED']

/** A worker's numbered trips to the store, each repeated under its number until it was answered. */
export class Trips {
  /** How far the store's clock is ahead of this machine's. */
  aheadMs: Millis = 0
  readonly #bench: Workbench
  readonly #worker: WorkerId
  readonly #onError: (error: unknown) => void
  /** The last two trips. */
  #earlier: Promise<unknown> = Promise.resolve()
  #latest: Promise<unknown> = Promise.resolve()
  #n = 0

  constructor(bench: Workbench, worker: WorkerId, onError: (error: unknown) => void) {
    this.#bench = bench
    this.#worker = worker
    this.#onError = onError
  }

  /**
   * Settles and claims. A settlement that cannot be stored must not keep its neighbours from theirs.
   * @throws ErrandError WORKER_GONE, STORE_CLOSED, STORE_CORRUPT, STORE_CHANGED
   */
  async exchange(ended: readonly Ended[], claim: Claim): Promise<Handed> {
    const settlements = ended.map(({ settlement }) => settlement)
    if (ended.length > 0) failpoint('settle.sending')
    try {
      return await this.#repeat((n) => this.#bench.exchange(this.#worker, n, settlements, claim))
    } catch (error) {
      const [first, ...others] = ended
      if (error instanceof ErrandError || first === undefined || first.isRefused) throw error
      this.#onError(error)
      if (others.length === 0) return this.exchange([refused(first, this.aheadMs)], claim)
      const half = ended.length >> 1
      const before = await this.exchange(ended.slice(0, half), { ...claim, limit: 0 })
      const rest = await this.exchange(ended.slice(half), claim)
      return { ...rest, answers: [...before.answers, ...rest.answers] }
    }
  }

  /** Takes over jobs of dead workers, and says whether more may lie there. */
  async sweep(): Promise<{ jobs: Claimed[]; isFull: boolean }> {
    const { jobs } = await this.#repeat((n) => this.#bench.sweep(this.#worker, n, SWEEP_MAX))
    if (jobs.length > 0) failpoint('sweep.received')
    return { jobs, isFull: jobs.length === SWEEP_MAX }
  }

  /** A number may be sent once the one before the last was answered: the store remembers two. */
  #repeat(call: (n: number) => Promise<Exchanged>): Promise<Handed> {
    const n = ++this.#n
    const trip = this.#earlier.then(() => this.#send(n, call))
    this.#earlier = this.#latest
    this.#latest = trip.catch(() => undefined)
    return trip
  }

  /** An outage has no limit: what is held waits. */
  async #send(n: number, call: (n: number) => Promise<Exchanged>): Promise<Handed> {
    for (;;) {
      try {
        const reply = await call(n)
        if ('refused' in reply) throw new ErrandError('WORKER_GONE', { worker: this.#worker })
        this.aheadMs = reply.now - Date.now()
        return reply
      } catch (error) {
        if (!(error instanceof ErrandError) || LASTING.includes(error.code)) throw error
        this.#onError(error)
        await sleep(RETRY_MS)
      }
    }
  }
}

/** What a job came to cannot be stored, whatever it was: it has failed, with a text of ours. */
function refused({ job, ranMs, settlement }: Ended, aheadMs: Millis): Ended {
  const error = encodeFailure('UnfitResult', 'what it came to cannot be stored')
  const report = { how: 'failed', reason: 'unserializable_result', error, retry: false } as const
  const outcome = decide(job, report, Date.now() + aheadMs)
  return { job, ranMs, settlement: { ...settlement, outcome }, isRefused: true }
}

/** Whether it says how a job ended or what it came to; what was only given back says nothing. */
export const isResult = ({ to }: Outcome): boolean => to !== 'ready' && to !== 'waiting'
