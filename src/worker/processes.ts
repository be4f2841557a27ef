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
  readonly #children: Child[]
  readonly #resting = new Bell()
  #ear: Ear = { report: () => undefined, note: () => undefined, ring: () => undefined }
  #restartMs = RESTART_MIN_MS
  #over = false

  private constructor(children: Child[], manifest: readonly string[], options: ProcessOptions) {
    this.#children = children
    this.manifest = manifest
    this.#options = options
    this.concurrency = options.concurrency
    this.processes = options.processes
    for (const child of children) this.#look(child)
  }

  /** Starts every executor. @throws ErrandError INVALID_APP when the app cannot be started in them */
  static async start(options: ProcessOptions): Promise<ProcessCrew> {
    const children = Array.from(
      { length: options.processes },
      () => new Child(options, perChild(options)),
    )
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
    return this.#children.some((child) => child.isOpen)
  }

  begin(job: Claimed, softMs: Millis): void {
    // The one with the least to do; none is left only while all are being replaced.
    const [idle] = this.#children
      .filter((child) => child.isOpen)
      .toSorted((a, b) => a.held - b.held)
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
    this.#over = true
    this.#resting.ring()
    await Promise.all(this.#children.map((child) => child.stop()))
  }

  /** Replaces a child when it is gone, or before it grows too old. */
  #look(child: Child): void {
    const { maxJobs, maxMemoryMb } = this.#options
    child.onEnd = () => void this.#replace(child)
    child.onReport = () => {
      this.#restartMs = RESTART_MIN_MS
      const isOld = child.done >= maxJobs && performance.now() - child.bornAt >= AGE_MIN_MS
      if (isOld || child.memoryMb >= maxMemoryMb) child.close()
    }
  }

  async #replace(old: Child): Promise<void> {
    const at = this.#children.indexOf(old)
    // An old one that closed in good order needs no pause; one that died might die again.
    if (!old.isClosing) await this.#rest()
    if (this.#over || at === -1) return
    const child = new Child(this.#options, perChild(this.#options))
    child.listen(this.#ear)
    this.#look(child)
    this.#children[at] = child
    child.ready.catch((error: unknown) => this.#options.onError(error))
  }

  async #rest(): Promise<void> {
    const ms = this.#restartMs
    this.#restartMs = Math.min(ms * 2, RESTART_MAX_MS)
    await this.#resting.wait(ms)
  }
}

const perChild = ({ concurrency, processes }: ProcessOptions) => Math.ceil(concurrency / processes)
