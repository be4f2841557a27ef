import type { Millis } from '../base/time.ts'
import type { Handler } from '../job/define.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Tools } from './context.ts'
import type { Abort, Crew, Ear } from './crew.ts'
import { Performance } from './perform.ts'

type Running = { job: Claimed; performance: Performance }

/** Runs handlers in this very process: inside executors, and for tests and scripts. */
export class InlineCrew implements Crew {
  readonly manifest: readonly string[]
  readonly concurrency: number
  readonly processes = 0
  readonly isOpen = true
  readonly #handlers: Map<string, Handler>
  #tools: Tools
  readonly #running = new Map<JobId, Running>()
  readonly #waiting: { job: Claimed; softMs: Millis }[] = []
  #ear: Ear = { report: () => undefined, note: () => undefined, ring: () => undefined }

  constructor(handlers: readonly Handler[], tools: Omit<Tools, 'note'>, concurrency: number) {
    this.#handlers = new Map(handlers.map((handler) => [handler.definition.name, handler]))
    this.manifest = [...this.#handlers.keys()]
    this.#tools = { ...tools, note: () => undefined }
    this.concurrency = concurrency
  }

  listen(ear: Ear): void {
    this.#ear = ear
    this.#tools = { ...this.#tools, note: (note) => ear.note(note) }
  }

  begin(job: Claimed, softMs: Millis): void {
    if (this.#running.size < this.concurrency) void this.#run(job, softMs)
    else this.#waiting.push({ job, softMs })
  }

  abort(id: JobId, fence: Fence, why: Abort): void {
    const running = this.#running.get(id)
    if (running?.job.fence === fence) running.performance.abort(why)
  }

  recall(): void {
    for (const { job } of this.#waiting.splice(0)) this.#ear.report(job, { how: 'released' }, 0)
  }

  /** Handlers of this process cannot be stopped by force; what they report after this counts for nothing. */
  abandon(): void {
    this.recall()
    for (const { job, performance } of this.#running.values()) {
      performance.abort('released')
      this.#ear.report(job, { how: 'released' }, 0)
    }
    this.#running.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abandon()
  }

  async #run(job: Claimed, softMs: Millis): Promise<void> {
    const handler = this.#handlers.get(job.job)
    if (handler === undefined) return this.#ear.report(job, { how: 'unknown' }, 0)
    const began = performance.now()
    const attempt = new Performance(handler, job, softMs, this.#tools)
    const running: Running = { job, performance: attempt }
    this.#running.set(job.id, running)
    const report = await attempt.run()
    // Abandoned meanwhile, its end was told already; the same job may even run again.
    if (this.#running.get(job.id) !== running) return
    this.#running.delete(job.id)
    this.#ear.report(job, report, performance.now() - began)
    const next = this.#waiting.shift()
    if (next) void this.#run(next.job, next.softMs)
  }
}
