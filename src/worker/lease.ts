import { failpoint } from '../base/failpoint.ts'
import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import type { Workbench } from '../store/contract.ts'
import type { WorkerSettings } from './settings.ts'

/** What happens to a lease, told to who holds jobs under it. */
export type LeaseEvents = {
  /** Handlers may go on for this long without hearing more. */
  extended(ms: Millis): void
  cancelAsked(ids: readonly JobId[]): void
  /** Two thirds of the lease have passed without a renewal: handlers should stop. */
  shaken(): void
  /** The store may soon give the jobs to others: handlers must have stopped. */
  broken(): void
  /** The store has given the jobs to others. */
  gone(): void
  metrics(): Bytes
  onError(error: unknown): void
}

const RETRY_MAX_MS = 1000
const MARGIN_MS = 2000

/** One renewal for a worker and all it holds, counted from sending the last good one. */
export class Lease implements Disposable {
  readonly #bench: Workbench
  readonly #worker: WorkerId
  readonly #settings: WorkerSettings
  readonly #events: LeaseEvents
  #timer: NodeJS.Timeout | undefined
  #alarms: NodeJS.Timeout[] = []
  #over = false
  #isAsking = false
  #again = false

  constructor(bench: Workbench, worker: WorkerId, settings: WorkerSettings, events: LeaseEvents) {
    this.#bench = bench
    this.#worker = worker
    this.#settings = settings
    this.#events = events
    this.#good(performance.now())
    this.#next(settings.renewMs)
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#timer)
    for (const alarm of this.#alarms) clearTimeout(alarm)
  }

  /** Somebody asked for the cancel of a running job: it may be one of ours. */
  readonly renewNow = () => {
    this.#again = true
    if (!this.#isAsking) this.#next(0)
  }

  #next(ms: Millis): void {
    clearTimeout(this.#timer)
    if (!this.#over) this.#timer = setTimeout(() => void this.#renew(), this.#again ? 0 : ms)
  }

  async #renew(): Promise<void> {
    this.#isAsking = true
    this.#again = false
    const sentAt = performance.now()
    failpoint('renew.sending')
    try {
      const renewed = await this.#bench.renew(this.#worker, this.#events.metrics())
      if (!renewed.alive) return this.#events.gone()
      this.#good(sentAt)
      if (renewed.cancelAsked.length > 0) this.#events.cancelAsked(renewed.cancelAsked)
      this.#next(this.#settings.renewMs)
    } catch (error) {
      this.#events.onError(error)
      this.#next(Math.min(RETRY_MAX_MS, this.#settings.renewMs))
    } finally {
      this.#isAsking = false
    }
  }

  #good(sentAt: Millis): void {
    for (const alarm of this.#alarms) clearTimeout(alarm)
    if (this.#over) return
    const { leaseMs } = this.#settings
    const sinceMs = performance.now() - sentAt
    const goodMs = leaseMs - Math.min(MARGIN_MS, leaseMs / 7) - sinceMs
    this.#alarms = [
      setTimeout(() => this.#events.shaken(), (leaseMs * 2) / 3 - sinceMs),
      setTimeout(() => this.#events.broken(), goodMs),
    ]
    this.#events.extended(goodMs)
  }
}
