import { Bell } from '../base/bell.ts'
import type { Millis } from '../base/time.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Abort, Crew, Ear } from './crew.ts'
import { Child, type ChildOptions } from './child.ts'

export type ProcessOptions = ChildOptions & {
  processes: number
  concurrency: number
  /** An executor is replaced after this many jobs, or past this much memory. */
  maxJobs: number
  maxMemoryMb: number
  onError(error: unknown): void
}

/** Short jobs by the thousand would otherwise spend their time on starting processes. */
const AGE_MIN_MS = 60_000
const RESTART_MIN_MS = 500
const RESTART_MAX_MS = 30_000

/** A crew of executor processes: replaced when they die or grow old, killed as groups. */
export class ProcessCrew implements Crew {
  readonly manifest: readonly string[]
  readonly concurrency: number
  readonly processes: number
  readonly #options: ProcessOptions
  /** Those that take jobs, and old ones that still have some to end. */
  readonly #children: Set<Child>
  readonly #resting = new Bell()
  #ear: Ear = { report: () => undefined, note: () => undefined, ring: () => undefined }
  #restartMs = RESTART_MIN_MS
  #isOver = false

  private constructor(
    children: readonly Child[],
    manifest: readonly string[],
    options: ProcessOptions,
  ) {
    this.#children = new Set(children)
    this.manifest = manifest
    this.#options = options
    this.concurrency = options.concurrency
    this.processes = children.length
    for (const child of children) this.#look(child)
  }

  /** Starts every executor. @throws ErrandError INVALID_APP when the app cannot be started in them */
  static async start(options: ProcessOptions): Promise<ProcessCrew> {
    const children = sharesOf(options).map((share) => new Child(options, share))
    const manifests = await Promise.allSettled(children.map((child) => child.ready))
    const broken = manifests.find((manifest) => manifest.status === 'rejected')
    if (broken) {
      for (const child of children) child.kill()
      throw broken.reason
    }
    const [first] = manifests
    return new ProcessCrew(children, first?.status === 'fulfilled' ? first.value : [], options)
  }

  listen(ear: Ear): void {
    this.#ear = ear
    for (const child of this.#children) child.listen(ear)
  }

  get isOpen(): boolean {
    return this.#children.values().some((child) => child.isOpen)
  }

  begin(job: Claimed, softMs: Millis): void {
    // The one with the least to do for its share; none is left only while all are being replaced.
    const [idle] = [...this.#children]
      .filter((child) => child.isOpen)
      .toSorted((a, b) => a.held / a.share - b.held / b.share)
    if (idle) idle.begin(job, softMs)
    else this.#ear.report(job, { how: 'released' }, 0)
  }

  abort(id: JobId, fence: Fence, why: Abort): void {
    for (const child of this.#children) child.abort(id, fence, why)
  }

  recall(): void {
    for (const child of this.#children) child.recall()
  }

  abandon(): void {
    for (const child of this.#children) child.kill('released')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#resting.ring()
    await Promise.all([...this.#children].map((child) => child.stop()))
  }

  #look(child: Child): void {
    const { maxJobs, maxMemoryMb } = this.#options
    child.onEnd = () => void this.#lose(child)
    child.onReport = () => {
      this.#restartMs = RESTART_MIN_MS
      const isOld = child.done >= maxJobs && performance.now() - child.bornAt >= AGE_MIN_MS
      if ((isOld || child.memoryMb >= maxMemoryMb) && child.isOpen) this.#relieve(child)
    }
  }

  /** An old one ends what it has while its successor takes the new jobs. */
  #relieve(old: Child): void {
    old.close()
    this.#succeed(old)
  }

  async #lose(child: Child): Promise<void> {
    this.#children.delete(child)
    if (child.isClosing) return
    // One that died might die again.
    const ms = this.#restartMs
    this.#restartMs = Math.min(ms * 2, RESTART_MAX_MS)
    await this.#resting.wait(ms)
    if (!this.#isOver) this.#succeed(child)
  }

  #succeed({ share }: Child): void {
    const child = new Child(this.#options, share)
    child.listen(this.#ear)
    this.#look(child)
    this.#children.add(child)
    child.ready.catch((error: unknown) => this.#options.onError(error))
  }
}

/** How many handlers each process runs at once: together as many as asked for, and never none. */
function sharesOf({ concurrency, processes }: ProcessOptions): number[] {
  const count = Math.min(processes, concurrency)
  return Array.from({ length: count }, (_, i) => Math.floor((concurrency + i) / count))
}
