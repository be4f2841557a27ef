import { setTimeout as sleep } from 'node:timers/promises'
import { Alarm } from '../base/alarm.ts'
import { monotonic, type Millis } from '../base/time.ts'
import { hasCode } from '../job/errors.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import { readPolicy } from '../job/policy.ts'
import type { Planned } from '../job/schedule.ts'
import type { Vitals } from '../job/vitals.ts'
import type { Answer } from '../store/contract.ts'
import { Child, type ChildOptions, type Manifest } from './child.ts'
import { type Abort, type Crew, DEAF, type Ear, type Holder, type Limits, unbegun } from './crew.ts'
import { Hiring } from './hiring.ts'
import { Scratch } from './scratch.ts'
import { IDLE_MS, Solos } from './solos.ts'

export type ProcessOptions = ChildOptions & {
  processes: number
  concurrency: number
  /** An executor is replaced after this many jobs, or past this much memory. */
  maxJobs: number
  maxMemoryMb: number
  /** By how much an executor's event loop may be late before it is handed no more. */
  overloadMs: Millis
  onError(error: unknown): void
  /** Told which processes there are, so that somebody else can end them. */
  onCrew?(crew: { pids: readonly number[]; scratch: string }): void
}

/** Short jobs by the thousand would otherwise spend their time on starting processes. */
const AGE_MIN_MS = 60_000
const SUSPECTS_MAX = 1000
const MEET_AGAIN_MS = 100

/** A crew of executor processes: replaced when they die or grow old, killed as groups. */
export class ProcessCrew implements Crew {
  readonly concurrency: number
  readonly processes: number
  manifest: readonly string[] = []
  planned: Planned | undefined
  appSettings: string | undefined
  readonly #options: ProcessOptions
  readonly #scratch = new Scratch()
  /** Those that share their jobs, and old ones that still have some to end. */
  readonly #children = new Set<Child>()
  readonly #solos: Solos
  readonly #suspects = new Set<JobId>()
  readonly #alarm = new Alarm(() => this.#watch())
  readonly #hiring: Hiring<Child>
  #ear: Ear = DEAF
  #until: Millis | undefined

  private constructor(options: ProcessOptions) {
    this.#options = options
    this.concurrency = options.concurrency
    this.#hiring = new Hiring(
      (share) => this.#hire(share),
      (error) => options.onError(error),
    )
    const shares = sharesOf(options)
    this.processes = shares.length
    for (const share of shares) this.#children.add(this.#hire(share))
    this.#solos = new Solos({
      hire: () => this.#hiring.now(1),
      lend: (job) => this.#lend(job),
      startingMax: shares.length,
    })
  }

  /** Starts every executor. @throws ErrandError INVALID_APP when the app cannot be started in them */
  static async start(options: ProcessOptions): Promise<ProcessCrew> {
    const crew = new ProcessCrew(options)
    try {
      const { jobs, planned, appSettings } = await crew.#meet()
      crew.manifest = jobs
      crew.planned = planned
      crew.appSettings = appSettings
      return crew
    } catch (error) {
      await crew[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What the first executors say of themselves; one that was killed before it could is replaced like any other. */
  async #meet(): Promise<Manifest> {
    for (;;) {
      const manifests = await Promise.allSettled([...this.#children].map((child) => child.ready))
      for (const manifest of manifests)
        if (manifest.status === 'rejected' && hasCode(manifest.reason, 'INVALID_APP'))
          throw manifest.reason
      for (const manifest of manifests) if (manifest.status === 'fulfilled') return manifest.value
      await sleep(MEET_AGAIN_MS)
    }
  }

  listen(ear: Ear): void {
    this.#ear = ear
    for (const child of this.#all) child.listen(ear)
  }

  get places(): number {
    let shared = 0
    for (const one of this.#children)
      if (one.isOpen) shared += this.#isLate(one) ? one.held : one.share
    return Math.min(this.concurrency, shared + this.#solos.held)
  }

  get vitals(): Vitals {
    const states = this.#all.map(({ state }) => state)
    return {
      overloaded: [...this.#children].filter((one) => one.isOpen && this.#isLate(one)).length,
      memoryMb: states.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
      lateMs: Math.max(0, ...states.map(({ lateMs }) => lateMs)),
      cpu: states.reduce((sum, { cpu }) => sum + cpu, 0),
    }
  }

  begin(job: Claimed, limits: Limits): void {
    const isAlone =
      job.crashes > 0 || readPolicy(job.policy).isolate || this.#suspects.delete(job.id)
    if (isAlone) {
      this.#alarm.by(performance.now() + IDLE_MS)
      return this.#solos.add(job, limits)
    }
    // The one with the least to do for its share; none is left only while all are being replaced, or are late.
    let idle: Child | undefined
    for (const child of this.#children)
      if (
        child.isOpen &&
        !this.#isLate(child) &&
        (!idle || child.held / child.share < idle.held / idle.share)
      )
        idle = child
    if (idle) idle.begin(job, limits)
    else this.#ear.report(job, unbegun('released'), 0)
  }

  abort(id: JobId, fence: Fence, why: Abort): void {
    const waiting = this.#solos.take(id, fence)
    if (waiting) return this.#ear.report(waiting, unbegun(why), 0)
    for (const child of this.#all) child.abort(id, fence, why)
  }

  noted(id: JobId, fence: Fence, step: string, answer: Answer): void {
    for (const child of this.#all) child.noted(id, fence, step, answer)
  }

  passed(holder: Holder, ask: number, since: Millis): void {
    for (const child of this.#all) child.passed(holder, ask, since)
  }

  stop(id: JobId, fence: Fence, report: Report): void {
    for (const child of this.#all) child.stopJob(id, fence, report)
  }

  live(ms: Millis): void {
    this.#until = monotonic() + ms
    for (const child of this.#all) child.live(this.#until)
  }

  recall(): void {
    this.#solos.recall(this.#ear)
    for (const child of this.#all) child.recall()
  }

  abandon(): void {
    // Who begins now holds nothing under the old lease.
    this.#until = undefined
    this.#solos.recall(this.#ear)
    for (const child of this.#all) if (child.held > 0) child.kill({})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hiring[Symbol.dispose]()
    await Promise.all(this.#all.map((child) => child.stop()))
    this.#alarm[Symbol.dispose]()
    await this.#scratch[Symbol.asyncDispose]()
  }

  #isLate(child: Child): boolean {
    return child.isLateBy(this.#options.overloadMs)
  }

  get #all(): Child[] {
    return [...this.#children, ...this.#solos.rooms]
  }

  #hire(share: number): Child {
    const folder = this.#scratch.next()
    const child: Child = new Child(this.#options, share, folder, {
      ended: () => {
        void this.#scratch.remove(folder)
        void this.#lose(child)
      },
      reported: () => this.#look(child),
      worn: () => this.#relieve(child),
      suspect: ({ id }) => this.#suspect(id),
      watchBy: (at) => this.#alarm.by(at),
    })
    child.listen(this.#ear)
    if (this.#until !== undefined) child.live(this.#until)
    child.ready.then(
      () => this.#solos.look(),
      (error: unknown) => this.#options.onError(error),
    )
    queueMicrotask(() => this.#tell())
    return child
  }

  /**
   * An idle executor becomes one for jobs that run alone, and another takes its place. The last one is
   * lent only to a job that was running when it crashed, and so has waited already.
   */
  #lend({ crashes }: Claimed): Child | undefined {
    const open = [...this.#children].filter((child) => child.isOpen)
    const idle = open.find((child) => child.held === 0)
    if (idle === undefined || (open.length === 1 && crashes === 0)) return undefined
    this.#children.delete(idle)
    this.#succeed(idle)
    return idle
  }

  #suspect(id: JobId): void {
    const [oldest] = this.#suspects
    if (this.#suspects.size >= SUSPECTS_MAX && oldest !== undefined) this.#suspects.delete(oldest)
    this.#suspects.add(id)
  }

  #look(child: Child): void {
    const { maxJobs, maxMemoryMb } = this.#options
    if (child.done > 0) this.#hiring.well()
    const isOld = child.done >= maxJobs && performance.now() - child.bornAt >= AGE_MIN_MS
    if ((isOld || child.state.memoryMb >= maxMemoryMb) && child.isOpen) this.#relieve(child)
    this.#solos.look()
  }

  /** An old one ends what it has while its successor takes the new jobs. */
  #relieve(old: Child): void {
    if (!old.isOpen) return
    old.close()
    if (this.#children.has(old)) this.#succeed(old)
  }

  async #lose(child: Child): Promise<void> {
    const isShared = this.#children.delete(child)
    this.#solos.lost(child)
    this.#tell()
    if (child.isClosing || this.#hiring.isOver) return
    if (isShared) return this.#hiring.after(child, (next) => this.#children.add(next))
    await this.#hiring.rest()
    this.#solos.look()
  }

  /** One more for the places of an executor that shares no longer. */
  #succeed({ share }: Child): void {
    const next = this.#hiring.now(share)
    if (next) this.#children.add(next)
    else void this.#hiring.later(share, (child) => this.#children.add(child))
  }

  #watch(): Millis {
    const now = performance.now()
    this.#solos.look()
    return Math.min(this.#solos.rest(now), ...this.#all.map((child) => child.watch(now)))
  }

  #tell(): void {
    const pids = this.#all.flatMap(({ pid }) => pid ?? [])
    this.#options.onCrew?.({ pids, scratch: this.#scratch.root })
  }
}

/** How many handlers each process runs at once: together as many as asked for, and never none. */
function sharesOf({ concurrency, processes }: ProcessOptions): number[] {
  const count = Math.min(processes, concurrency)
  return Array.from({ length: count }, (_, i) => Math.floor((concurrency + i) / count))
}
