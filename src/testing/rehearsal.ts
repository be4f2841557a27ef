import { setTimeout as sleep } from 'node:timers/promises'
import type { Millis, Span } from '../base/time.ts'
import type { Files } from '../files/contract.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError, hasCode } from '../job/errors.ts'
import { encodeThrown } from '../job/failure.ts'
import type { Claimed, JobId } from '../job/job.ts'
import { readSpan } from '../job/options.ts'
import type { Report } from '../job/outcome.ts'
import type { Keyring } from '../job/seal.ts'
import type { JobView } from '../job/view.ts'
import { Errand } from '../open.ts'
import type { Store } from '../store/contract.ts'
import type { Watch } from '../watch/watch.ts'
import { unbegun } from '../worker/crew.ts'
import { retain } from '../worker/housekeeping.ts'
import { WORKER_DEFAULTS } from '../worker/settings.ts'
import type { InlineCrew } from '../worker/inline.ts'
import type { HandClock } from './clock.ts'
import type { FaultPlan, PlannedFault } from './faults.ts'
import { Hand } from './hand.ts'

export type RehearsalParts = {
  store: Store
  files: Files
  clock: HandClock
  jobs: readonly Definition[]
  keys: Keyring
  faults: FaultPlan
  /** A crew of one, for each worker that takes the place of another. */
  hire: () => InlineCrew
  /** How long a handler may take by the clock on the wall. */
  patienceMs: Millis
  runsMax: number
  close: () => Promise<void>
}

const THROWN = 'thrown by the test, before the handler was called'

/**
 * An Errand in memory whose time a test moves by hand, and whose jobs run when it says so: one at a time, in the
 * order of their line. Made by `rehearse`.
 */
export class Rehearsal extends Errand {
  /** The time of everything in it. Moved by itself, it passes while nobody works: `advance` works meanwhile. */
  readonly clock: HandClock
  readonly #parts: RehearsalParts
  readonly #listening: Disposable
  #hand: Hand
  /** Runs of workers that were taken for dead. */
  readonly #zombies = new Map<Hand, Promise<void>>()
  #turn: Promise<boolean> | undefined
  readonly #ended: JobId[] = []
  #dueAt: Millis = Infinity
  #runsLeft = 0
  #late = 0

  private constructor(parts: RehearsalParts, hand: Hand) {
    const { store, files, jobs, keys, clock } = parts
    super(store, files, { jobs, keys })
    this.clock = clock
    this.#parts = parts
    this.#hand = hand
    this.#listening = store.listen('cancel', () => void this.#hand.renew())
  }

  static async begin(parts: RehearsalParts): Promise<Rehearsal> {
    return new Rehearsal(parts, await Hand.register(parts.store, parts.clock, parts.hire()))
  }

  /** As `Errand.result`, but it does not wait: in a rehearsal nothing happens by itself. */
  override result: Watch['result'] = (job, id, options) =>
    this.watch.result(job, id, { wait: 0, ...options })

  /** Results that were refused because their job had gone to another worker. */
  get late(): number {
    return this.#late
  }

  /** Planned faults that no run has met so far. */
  get faultsLeft(): readonly PlannedFault[] {
    return this.#parts.faults.left
  }

  /**
   * Runs what is ready, and what that makes ready, until nothing more can happen before the clock is moved.
   * @returns the jobs that ended, in that order
   * @throws ErrandError STILL_RUNNING (a handler takes longer than `patience`), RUNS_WITHOUT_END
   */
  async drain(): Promise<JobView[]> {
    const from = this.#ended.length
    this.#runsLeft = this.#parts.runsMax
    if (await this.#work()) return this.#viewsSince(from)
    const [{ id, job } = { id: '', job: '' }] = this.#hands.flatMap(({ running }) => running)
    throw new ErrandError('STILL_RUNNING', { id, job, ms: this.#parts.patienceMs })
  }

  /**
   * Lets this span pass. What falls due in it (delayed jobs, retries, sleeps, limits, calls that may be made, what is kept long enough)
   * happens at its own moment; a handler that runs longer than `patience` is taken to wait for the clock.
   * @returns the jobs that ended, in that order
   * @throws ErrandError INVALID_OPTION, RUNS_WITHOUT_END
   */
  async advance(span: Span): Promise<JobView[]> {
    const { clock, runsMax, store, files } = this.#parts
    const from = this.#ended.length
    const until = clock.now() + readSpan('advance', span)
    this.#runsLeft = runsMax
    for (;;) {
      const isIdle = await this.#work()
      if (clock.now() >= until) break
      const nextAt = Math.min(
        ...this.#hands.map(({ nextAt }) => nextAt),
        isIdle ? this.#dueAt : until,
      )
      clock.set(Math.min(until, Math.max(nextAt, clock.now() + 1)))
      await this.#hand.renew()
      for (const hand of this.#hands) hand.passed()
    }
    const views = await this.#viewsSince(from)
    await retain({ store, files, auditKeepMs: WORKER_DEFAULTS.auditKeepMs })
    return views
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]()
    for (const hand of this.#hands) await hand[Symbol.asyncDispose]()
    await this.#turn?.catch(() => undefined)
    await Promise.all(this.#zombies.values())
    await super[Symbol.asyncDispose]()
    await this.#parts.close()
  }

  get #hands(): readonly Hand[] {
    return [this.#hand, ...this.#zombies.keys()]
  }

  /** Works until nothing is ready. @returns whether it came so far: else a handler still runs */
  async #work(): Promise<boolean> {
    for (;;) {
      const turn = (this.#turn ??= this.#next().finally(() => (this.#turn = undefined)))
      const patience = new AbortController()
      const { patienceMs } = this.#parts
      const wasLong = sleep(patienceMs, undefined, { signal: patience.signal }).catch(
        () => undefined,
      )
      const hasMore = await Promise.race([turn, wasLong])
      patience.abort()
      if (hasMore === undefined) return false
      if (!hasMore) return true
    }
  }

  /** One job, from its claim to its settlement. @returns whether more may lie there */
  async #next(): Promise<boolean> {
    const { jobs, now, nextDueMs = Infinity } = await this.#hand.claim()
    this.#dueAt = now + nextDueMs
    const [job] = jobs
    if (job && this.#runsLeft-- > 0) {
      await this.#play(this.#hand, job)
      return true
    }
    if (job) {
      await this.#settle(this.#hand, job, unbegun('released'))
      throw new ErrandError('RUNS_WITHOUT_END', { max: this.#parts.runsMax, job: job.job })
    }
    const hadZombies = this.#zombies.size > 0
    await Promise.all(this.#zombies.values())
    return hadZombies
  }

  async #play(hand: Hand, job: Claimed): Promise<void> {
    const unfit = hand.unfit(job)
    if (unfit) return this.#settle(hand, job, unfit)
    const fault = this.#parts.faults.next(job)
    switch (fault) {
      case 'throwBefore': {
        const error = encodeThrown(new Error(THROWN))
        return this.#settle(hand, job, { how: 'failed', reason: 'error', error, retry: true })
      }
      case 'crashAfter': {
        await hand.run(job)
        await this.files.removeAll(job.id, job.fence)
        return this.#settle(hand, job, { how: 'crashed', why: 'as the test planned' })
      }
      case 'lateResult': {
        const report = await hand.run(job)
        await this.#replace(hand)
        return this.#settle(hand, job, report)
      }
      case 'runTwice': {
        const ended = hand.run(job).then((report) => this.#settle(hand, job, report))
        this.#zombies.set(
          hand,
          ended.finally(() => this.#zombies.delete(hand)),
        )
        return this.#replace(hand)
      }
      case 'timeOut':
      case undefined:
        return this.#settle(hand, job, await hand.run(job, { isTimeUp: fault === 'timeOut' }))
    }
  }

  /** The worker is taken for dead, though it may still speak; the next one takes over what it held. */
  async #replace(hand: Hand): Promise<void> {
    const { store, clock, hire } = this.#parts
    await store.retire(hand.id)
    this.#hand = await Hand.register(store, clock, hire())
    for (const job of await this.#hand.sweep()) await this.#settle(this.#hand, job, { how: 'lost' })
  }

  async #settle(hand: Hand, job: Claimed, report: Report): Promise<void> {
    const outcome = await hand.settle(job, report)
    if (outcome === undefined) this.#late++
    else if ('keepMs' in outcome) this.#ended.push(job.id)
  }

  async #viewsSince(from: number): Promise<JobView[]> {
    const ids = new Set(this.#ended.slice(from))
    const views = await Promise.all(
      [...ids].map((id) =>
        this.job(id).catch((error: unknown) => {
          // It is kept no longer than it runs.
          if (!hasCode(error, 'JOB_NOT_FOUND')) throw error
        }),
      ),
    )
    return views.filter((view) => view !== undefined)
  }
}
