import { newId } from '../base/id.ts'
import { type Clock, type Millis, monotonic } from '../base/time.ts'
import { hasCode } from '../job/errors.ts'
import type { Claimed, JobId } from '../job/job.ts'
import { decide, type Outcome, type Report } from '../job/outcome.ts'
import { readPolicy } from '../job/policy.ts'
import type { Take } from '../job/rate.ts'
import type { Note, Store } from '../store/contract.ts'
import { limitsOf, unfitToBegin } from '../worker/begin.ts'
import { hardTimeout, type Holder } from '../worker/crew.ts'
import type { InlineCrew } from '../worker/inline.ts'
import { WORKER_DEFAULTS } from '../worker/settings.ts'
import { type Handed, Trips } from '../worker/trips.ts'

/** A run that goes on, and when which limit ends it. */
type Run = { job: Claimed; softAt: Millis; hardAt: Millis; atHard: () => Report }
/** Calls that wait for their limit; the store is asked again at this moment. */
type Asking = { holder: Holder; ask: number; take: Take; at: Millis }

const { leaseMs, cancelGraceMs } = WORKER_DEFAULTS
/** Delays with jitter are what they are in the middle. */
const MIDDLE = () => 0.5

/**
 * A worker that moves only when it is told to: it claims one job, runs it, settles it. Claims, fences, settlements
 * and limits are those of any worker, on the clock of a test.
 */
export class Hand {
  readonly id = newId()
  readonly #store: Store
  readonly #clock: Clock
  readonly #crew: InlineCrew
  readonly #known: ReadonlySet<string>
  readonly #trips: Trips
  readonly #runs = new Map<JobId, Run>()
  readonly #ends = new Map<JobId, (report: Report) => void>()
  #asking: Asking[] = []
  #noted: Promise<void> = Promise.resolve()

  private constructor(store: Store, clock: Clock, crew: InlineCrew) {
    this.#store = store
    this.#clock = clock
    this.#crew = crew
    this.#known = new Set(crew.manifest)
    this.#trips = new Trips(store, this.id, () => undefined)
    crew.listen({
      report: ({ id }, report) => this.#ends.get(id)?.(report),
      note: (note) => void (this.#noted = this.#noted.then(() => this.#note(note))),
      take: (holder, ask, take) => void this.#ask({ holder, ask, take }),
      ring: () => undefined,
      cutOff: () => undefined,
    })
  }

  static async register(store: Store, clock: Clock, crew: InlineCrew): Promise<Hand> {
    const hand = new Hand(store, clock, crew)
    await store.register({ id: hand.id, leaseMs, info: new Uint8Array() })
    return hand
  }

  /** The next job, if any is ready; and when the next delayed one is due. */
  claim(): Promise<Handed> {
    return this.#trips.exchange([], { queues: [], limit: 1 })
  }

  /** What dead workers held. */
  async sweep(): Promise<Claimed[]> {
    return (await this.#trips.sweep()).jobs
  }

  /** What becomes of a job that does not begin; nothing when it does. */
  unfit(job: Claimed): Report | undefined {
    return job.cancelAsked
      ? { how: 'cancelled' }
      : unfitToBegin(job, this.#known, this.#clock.now())
  }

  /** Runs the job's handler; its limits come when the clock is moved past them, or the soft one at once. */
  run(job: Claimed, { isTimeUp = false } = {}): Promise<Report> {
    const now = this.#clock.now()
    const limits = limitsOf(job, readPolicy(job.policy), now)
    const [softAt, hardAt] = [now + limits.softMs, now + limits.hardMs]
    this.#runs.set(job.id, { job, softAt, hardAt, atHard: hardTimeout })
    return new Promise((resolve) => {
      this.#ends.set(job.id, (report) => {
        this.#runs.delete(job.id)
        this.#ends.delete(job.id)
        this.#asking = this.#asking.filter(({ holder }) => holder.id !== job.id)
        resolve(report)
      })
      this.#crew.begin(job, { ...limits, softMs: Infinity, hardMs: Infinity })
      if (isTimeUp) this.#crew.timeOut(job.id, job.fence)
    })
  }

  /** @returns what became of the job; nothing when this worker holds it no longer */
  async settle(job: Claimed, report: Report): Promise<Outcome | undefined> {
    // What a job said goes out before its settlement.
    await this.#noted
    const told = report.how === 'closed' ? await this.#hold(report) : report
    const outcome = decide(job, told, this.#clock.now(), MIDDLE)
    const settlement = { id: job.id, fence: job.fence, outcome }
    try {
      const claim = { queues: [], limit: 0 }
      const { answers } = await this.#trips.exchange([{ job, ranMs: 0, settlement }], claim)
      return answers[0] === 'done' ? outcome : undefined
    } catch (error) {
      if (hasCode(error, 'WORKER_GONE')) return undefined
      throw error
    }
  }

  /** The runs that go on. */
  get running(): readonly Claimed[] {
    return [...this.#runs.values()].map(({ job }) => job)
  }

  /** When the next limit of what runs comes, or a call of it may be made. */
  get nextAt(): Millis {
    const ends = this.#runs.values().map(({ softAt, hardAt }) => Math.min(softAt, hardAt))
    return Math.min(...ends, ...this.#asking.map(({ at }) => at))
  }

  /** The clock was moved: limits that have come are kept, and calls that may be made now are. */
  passed(): void {
    const now = this.#clock.now()
    for (const run of this.#runs.values()) {
      const { id, fence } = run.job
      if (run.hardAt <= now) this.#crew.stop(id, fence, run.atHard())
      else if (run.softAt <= now) this.#crew.timeOut(id, fence)
      if (run.softAt <= now) run.softAt = Infinity
    }
    const due = this.#asking.filter(({ at }) => at <= now)
    this.#asking = this.#asking.filter(({ at }) => at > now)
    for (const one of due) void this.#ask(one)
  }

  /** Renews its lease, and asks those to end whose cancel was asked. */
  async renew(): Promise<void> {
    const renewed = await this.#store.renew(this.id)
    if (!renewed.alive) return
    for (const run of renewed.cancelAsked.flatMap((id) => this.#runs.get(id) ?? [])) {
      if (run.job.cancelAsked) continue
      run.job.cancelAsked = true
      run.hardAt = Math.min(run.hardAt, this.#clock.now() + cancelGraceMs)
      run.atHard = () => ({ how: 'cancelled' })
      this.#crew.abort(run.job.id, run.job.fence, 'cancelled')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crew[Symbol.asyncDispose]()
  }

  async #ask({ holder, ask, take }: Omit<Asking, 'at'>): Promise<void> {
    const since = monotonic()
    const [waitMs = 0] = await this.#store.take([take])
    if (waitMs === 0) this.#crew.passed(holder, ask, since)
    else if (this.#runs.has(holder.id))
      this.#asking.push({ holder, ask, take, at: this.#clock.now() + waitMs })
  }

  async #hold(report: Extract<Report, { how: 'closed' }>): Promise<Report> {
    return { ...report, ms: (await this.#store.hold(report.limit, report.ms)) ?? 0 }
  }

  async #note(note: Note): Promise<void> {
    const [answer = 'gone'] = await this.#store.note(this.id, [note])
    if (note.step) this.#crew.noted(note.id, note.fence, note.step.name, answer)
  }
}
