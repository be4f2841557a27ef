import { Alarm } from '../base/alarm.ts'
import { failpoint } from '../base/failpoint.ts'
import type { Millis } from '../base/time.ts'
import type { Handler } from '../job/define.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import type { Vitals } from '../job/vitals.ts'
import type { Answer } from '../store/contract.ts'
import type { Tools } from './context.ts'
import {
  type Abort,
  type Crew,
  DEAF,
  type Ear,
  hardTimeout,
  type Holder,
  type Limits,
  STALL_MS,
  type Task,
  unbegun,
} from './crew.ts'
import { current } from './current.ts'
import { Performance } from './perform.ts'
import { isPrivate, type Opened, openTask, toolsFor } from './privacy.ts'
import type { Wait } from './waits.ts'

type Running<Job> = {
  job: Job
  performance: Performance
  began: Millis
  hardAt: Millis
  /** Seals what came of it. */
  close: Opened['close'] | undefined
}
type Waiting<Job> = { job: Job; limits: Limits; since: Millis }

/** Runs handlers in this very process: inside executors, and for tests and scripts. */
export class InlineCrew<Job extends Task = Claimed> implements Crew<Job> {
  readonly manifest: readonly string[]
  readonly concurrency: number
  readonly processes = 0
  readonly #handlers: Map<string, Handler>
  #tools: Tools
  readonly #running = new Map<JobId, Running<Job>>()
  readonly #waiting: Waiting<Job>[] = []
  readonly #alarm = new Alarm(() => this.#watch())
  #ear: Ear<Job> = DEAF

  constructor(
    handlers: readonly Handler[],
    tools: Omit<Tools, 'note' | 'take' | 'suspend'>,
    concurrency: number,
  ) {
    this.#handlers = new Map(handlers.map((handler) => [handler.definition.name, handler]))
    // Without keys those are not for us: they wait for a worker that has some.
    const isAble = ({ definition }: Handler) => definition.policy.data !== 'sealed' || tools.keys
    this.manifest = handlers.filter(isAble).map(({ definition }) => definition.name)
    this.#tools = {
      ...tools,
      note: () => undefined,
      take: (...asked) => this.#ear.take(...asked),
      suspend: ({ id, fence }, wait) => this.#setAside(id, fence, wait),
    }
    this.concurrency = concurrency
  }

  get places(): number {
    return this.concurrency
  }

  /** Of this process nothing is told: where handlers keep its loop from turning, nobody could. */
  get vitals(): Vitals {
    return { overloaded: 0, memoryMb: 0, lateMs: 0, cpu: 0 }
  }

  listen(ear: Ear<Job>): void {
    this.#ear = ear
    this.#tools = { ...this.#tools, note: (note) => ear.note(note) }
  }

  begin(job: Job, limits: Limits): void {
    if (this.#running.size < this.concurrency) return void this.#run(job, limits)
    const since = performance.now()
    this.#waiting.push({ job, limits, since })
    // Inside an executor the foreman looks after its time: there no limit is given.
    if (limits.hardMs < Infinity) this.#alarm.by(since + STALL_MS)
  }

  abort(id: JobId, fence: Fence, why: Abort): void {
    const running = this.#running.get(id)
    if (running?.job.fence === fence) return running.performance.abort(why)
    const at = this.#waiting.findIndex(({ job }) => job.id === id && job.fence === fence)
    const [waiting] = at === -1 ? [] : this.#waiting.splice(at, 1)
    if (waiting) this.#ear.report(waiting.job, unbegun(why), 0)
  }

  /** Its soft limit has come, as somebody else keeps time. */
  timeOut(id: JobId, fence: Fence): void {
    const running = this.#running.get(id)
    if (running?.job.fence === fence) running.performance.timeOut()
  }

  noted(id: JobId, fence: Fence, step: string, answer: Answer): void {
    const running = this.#running.get(id)
    if (running?.job.fence === fence) running.performance.noted(step, answer)
  }

  passed({ id, fence }: Holder, ask: number, since: Millis): void {
    const running = this.#running.get(id)
    if (running?.job.fence === fence) running.performance.passed(ask, since)
  }

  /** A handler of this process cannot be stopped by force; what it reports after this counts for nothing. */
  stop(id: JobId, fence: Fence, report: Report): void {
    const running = this.#running.get(id)
    if (running?.job.fence !== fence) return
    running.performance.letGo()
    this.#ear.cutOff(running.job)
    this.#end(running, report)
  }

  /** What a handler left behind threw, or an error that nobody caught, is the end of the attempt. */
  fail(id: JobId, fence: Fence, error: unknown): boolean {
    const running = this.#running.get(id)
    if (running?.job.fence !== fence) return false
    this.#end(running, running.performance.giveUp(error))
    return true
  }

  live(): void {
    // It lives and dies with its foreman.
  }

  recall(): void {
    for (const { job } of this.#waiting.splice(0)) this.#ear.report(job, unbegun('released'), 0)
  }

  abandon(): void {
    this.recall()
    for (const { job } of this.#running.values())
      this.stop(job.id, job.fence, { how: 'released', begun: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abandon()
    this.#alarm[Symbol.dispose]()
  }

  #setAside(id: JobId, fence: Fence, wait: Wait): void {
    const running = this.#running.get(id)
    if (running?.job.fence === fence) this.#end(running, running.performance.setAside(wait))
  }

  async #run(job: Job, limits: Limits): Promise<void> {
    const handler = this.#handlers.get(job.job)
    if (handler === undefined) return this.#ear.report(job, { how: 'unknown' }, 0)
    const opened = isPrivate(handler, job) ? openTask(job, this.#tools) : undefined
    if (opened && 'how' in opened) return this.#ear.report(job, opened, 0)
    const began = performance.now()
    const attempt = opened
      ? new Performance(handler, opened.task, limits, opened.tools)
      : new Performance(handler, job, limits, toolsFor(handler, this.#tools))
    const hardAt = began + limits.hardMs
    const running = { job, performance: attempt, began, hardAt, close: opened?.close }
    this.#running.set(job.id, running)
    this.#alarm.by(running.hardAt)
    failpoint('handler.before')
    const report = await current.run(job, () => attempt.run())
    failpoint('handler.after')
    this.#end(running, report)
  }

  #end(running: Running<Job>, report: Report): void {
    const { job, began, close } = running
    // Stopped meanwhile, its end was told already; the same job may even run again.
    if (this.#running.get(job.id) !== running) return
    this.#running.delete(job.id)
    this.#ear.report(job, close ? close(report) : report, performance.now() - began)
    const next = this.#waiting.shift()
    if (next) void this.#run(next.job, next.limits)
  }

  #watch(): Millis {
    const now = performance.now()
    for (const { job, hardAt } of this.#running.values())
      if (hardAt <= now) this.stop(job.id, job.fence, hardTimeout())
    if (this.#waiting.some(({ since }) => since + STALL_MS <= now)) this.recall()
    const [first] = this.#waiting
    const hard = Math.min(...this.#running.values().map(({ hardAt }) => hardAt))
    return Math.min(hard, first ? first.since + STALL_MS : Infinity)
  }
}
