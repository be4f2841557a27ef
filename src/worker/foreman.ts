import { setImmediate as nextTurn } from 'node:timers/promises'
import { Bell } from '../base/bell.ts'
import { failpoint } from '../base/failpoint.ts'
import type { Millis } from '../base/time.ts'
import type { Claimed, JobId, WorkerId } from '../job/job.ts'
import type { Take } from '../job/rate.ts'
import { decide, type Outcome, type Report } from '../job/outcome.ts'
import { readPolicy } from '../job/policy.ts'
import type { Answer, Intake, Note, Workbench } from '../store/contract.ts'
import { limitsOf, unfitToBegin } from './begin.ts'
import { type Crew, type Holder, unbegun } from './crew.ts'
import { Demand } from './demand.ts'
import { Gate } from './gate.ts'
import { Pace } from './pace.ts'
import { Notes } from './notes.ts'
import type { WorkerSettings } from './settings.ts'
import { Stats } from './stats.ts'
import { type Ended, type Handed, isResult, Trips } from './trips.ts'

/** An attempt that ended, how long its handler ran, and what the store made of it. */
export type Settled = { job: Claimed; outcome: Outcome; ranMs: Millis; answer: Answer | undefined }

/** Claims, hands to the crew, settles. Runs no user code, so nothing a handler does can stop it. */
export class Foreman {
  readonly stats: Stats
  readonly #trips: Trips
  readonly #notes: Notes
  readonly #gate: Gate
  readonly #crew: Crew
  readonly #settings: WorkerSettings
  readonly #onBegun: (job: Claimed) => void
  readonly #onSettled: (settled: Settled) => void
  readonly #cutOff: (job: Claimed) => void
  readonly #takenOver: (job: Claimed) => void
  readonly #askAgain: () => void
  readonly #bell = new Bell()
  readonly #pace = new Pace()
  readonly #demand = new Demand()
  readonly #known: ReadonlySet<string>
  readonly #held = new Map<JobId, Claimed>()
  readonly #outbox: Ended[] = []
  /** Whose cancel was heard of while nobody here held them: they may be on their way. */
  #asked = new Set<JobId>()
  #sweepAsked = false
  #isStopping = false
  #isOver = false
  #failure: { error: unknown } | undefined

  constructor(parts: {
    bench: Workbench & Pick<Intake, 'hold'>
    worker: WorkerId
    crew: Crew
    settings: WorkerSettings
    onError: (error: unknown) => void
    onBegun: (job: Claimed) => void
    onSettled: (settled: Settled) => void
    /** A run was cut off: files it wrote are nobody's. */
    cutOff: (job: Claimed) => void
    /** Whoever ran it before is dead: so are the files it wrote. */
    takenOver: (job: Claimed) => void
    /** Has it asked anew whose cancel was asked. */
    askAgain: () => void
    /** Results refused before, by a worker of this process that was given up. */
    lateBefore: number
  }) {
    this.stats = new Stats(parts.lateBefore)
    this.#crew = parts.crew
    this.#settings = parts.settings
    this.#trips = new Trips(parts.bench, parts.worker, parts.onError)
    this.#notes = new Notes({
      ...parts,
      onNoted: ({ id, fence, step }, answer) =>
        step && this.#crew.noted(id, fence, step.name, answer),
    })
    const { bench: store, onError } = parts
    this.#gate = new Gate({ store, lookMs: parts.settings.pollMs, onError })
    this.#onBegun = parts.onBegun
    this.#onSettled = parts.onSettled
    this.#cutOff = parts.cutOff
    this.#takenOver = parts.takenOver
    this.#askAgain = parts.askAgain
    this.#known = new Set(parts.crew.manifest)
    this.#crew.listen({
      report: (job, report, ranMs) => this.#hear(job, report, ranMs),
      note: (note) => this.#note(note),
      take: (holder, ask, take) => this.#take(holder, ask, take),
      ring: this.ring,
      cutOff: (job) => this.#cutOff(job),
    })
  }

  /** Something may be ready, or somebody waits for an answer. */
  readonly ring = () => {
    this.#demand.rang()
    this.#bell.ring()
  }

  askSweep(): void {
    this.#sweepAsked = true
    this.ring()
  }

  /** Somebody wants these to end: by themselves within the grace time, else by force. */
  cancel(ids: Iterable<JobId>): void {
    this.#asked = new Set()
    for (const id of ids) {
      const job = this.#held.get(id)
      if (job === undefined) this.#asked.add(id)
      if (job === undefined || job.cancelAsked) continue
      job.cancelAsked = true
      this.#crew.abort(id, job.fence, 'cancelled')
      const { cancelGraceMs } = this.#settings
      setTimeout(() => this.#crew.stop(id, job.fence, { how: 'cancelled' }), cancelGraceMs).unref()
    }
  }

  abortAll(): void {
    for (const { id, fence } of this.#held.values()) this.#crew.abort(id, fence, 'released')
  }

  /** Works until `signal` aborts, then claims nothing more and settles what it holds. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#work(signal)
    } finally {
      // Given up by the store, or done: what it still hears comes too late.
      this.#isOver = true
      this.#gate[Symbol.dispose]()
      this.#late(this.#outbox.splice(0))
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#stop(), { once: true })
    while (
      !signal.aborted ||
      this.#held.size + this.#outbox.length > 0 ||
      this.#demand.isUnderWay
    ) {
      if (this.#sweepAsked && !signal.aborted) await this.#sweep()
      const load = this.#load
      const room = signal.aborted ? 0 : this.#demand.room(load, this.#crew.places, this.#held.size)
      const isWorthIt = this.#demand.isWorthATrip(load, room, this.#outbox.length)
      if (isWorthIt) void this.#turn(room)
      this.#notes.send()
      if (!isWorthIt) await this.#bell.wait(this.#demand.restMs || this.#settings.pollMs)
      // Whatever else ends in this turn of the event loop shares the next trip.
      await nextTurn()
      if (this.#failure) throw this.#failure.error
    }
  }

  #stop(): void {
    this.#isStopping = true
    this.ring()
  }

  /** How many jobs to hold, running and fetched ahead. */
  get #load(): number {
    const { places } = this.#crew
    return places + this.#pace.ahead(places)
  }

  /** Settles what has ended and claims what there is room for. Not waited for: two may be under way. */
  async #turn(limit: number): Promise<void> {
    const trip = this.#demand.left(limit)
    const { pollMs } = this.#settings
    let restMs = pollMs
    try {
      const { length } = this.#outbox
      const ended = this.#outbox.splice(
        0,
        this.#demand.share(this.#load, this.#crew.places, length),
      )
      // What a job said goes out before its settlement.
      this.#notes.send()
      const { answers, jobs, now, nextDueMs = pollMs } = await this.#exchange(ended, limit)
      // Given up meanwhile: what it was handed is taken over by others.
      if (this.#isOver) return
      if (jobs.length > 0) failpoint('claim.received')
      this.stats.answered(answers)
      for (const [i, { job, ranMs, settlement }] of ended.entries()) {
        this.stats.settled(job, settlement.outcome, now)
        this.#onSettled({ job, outcome: settlement.outcome, ranMs, answer: answers[i] })
      }
      for (const job of jobs) this.#begin(job, now)
      // A full hand means that more may lie there.
      restMs = limit > 0 && jobs.length === limit ? 0 : Math.min(nextDueMs, pollMs)
    } catch (error) {
      this.#failure = { error }
    } finally {
      this.#demand.landed(trip, restMs)
      this.#bell.ring()
    }
  }

  async #exchange(ended: readonly Ended[], limit: number): Promise<Handed> {
    try {
      return await this.#trips.exchange(ended, { queues: this.#settings.queues, limit })
    } catch (error) {
      // Another trip may find out that the store has given this worker up; these were under way.
      this.#late(ended)
      throw error
    }
  }

  async #sweep(): Promise<void> {
    this.#sweepAsked = false
    const { jobs, isFull } = await this.#trips.sweep()
    for (const job of jobs) {
      this.#held.set(job.id, job)
      this.#takenOver(job)
      this.#end(job, { how: 'lost' }, 0)
    }
    this.#sweepAsked = isFull
  }

  #late(ended: readonly Ended[]): void {
    this.stats.refused(ended.filter(({ settlement }) => isResult(settlement.outcome)).length)
  }

  #begin(job: Claimed, now: Millis): void {
    this.#held.set(job.id, job)
    // Heard of before it came; but it may have ended since, and live again.
    if (this.#asked.delete(job.id)) this.#askAgain()
    // It was on its way when the stop came.
    if (this.#isStopping) return this.#release(job)
    if (job.cancelAsked) return this.#end(job, { how: 'cancelled' }, 0)
    this.stats.waited(job, now - job.runAt)
    const unfit = unfitToBegin(job, this.#known, now)
    if (unfit) return this.#end(job, unfit, 0)
    const policy = readPolicy(job.policy)
    const mustBegin = policy.isolate || job.crashes > 0 || !this.#pace.isShort(job.job)
    if (mustBegin && this.#held.size > this.#crew.places) {
      // Fetched ahead, but not fit to wait here.
      this.#pace.distrust()
      return this.#release(job)
    }
    this.#crew.begin(job, limitsOf(job, policy, now))
    this.#onBegun(job)
  }

  #release(job: Claimed): void {
    this.#end(job, unbegun('released'), 0)
  }

  #hear(job: Claimed, report: Report, ranMs: Millis): void {
    if (report.how !== 'closed') return this.#end(job, report, ranMs)
    // Its limit is closed before it is given back: were we to die in between, it would run again, and hold it again.
    const held = this.#gate.hold(report.limit, report.ms)
    void held.then((ms) => this.#end(job, { ...report, ms }, ranMs))
  }

  #end(job: Claimed, report: Report, ranMs: Millis): void {
    this.#gate.drop(job)
    if (this.#held.get(job.id)?.fence === job.fence) this.#held.delete(job.id)
    if (ranMs > 0) {
      this.#pace.ran(job.job, ranMs)
      // Given back because it was not its turn, it has done nothing.
      if (report.how !== 'closed') this.stats.ran(job, ranMs)
    }
    if (report.how === 'crashed' || report.how === 'released') this.#pace.distrust()
    const outcome = decide(job, report, Date.now() + this.#trips.aheadMs)
    const ended = { job, ranMs, settlement: { id: job.id, fence: job.fence, outcome } }
    if (this.#isOver) return this.#late([ended])
    this.#outbox.push(ended)
    this.ring()
  }

  #take(holder: Holder, ask: number, take: Take): void {
    if (this.#held.get(holder.id)?.fence !== holder.fence) return
    this.#gate.add(holder, take, (since) => this.#crew.passed(holder, ask, since))
  }

  #note(note: Note): void {
    this.#notes.add(note)
    this.ring()
  }
}
