import { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Millis } from '../base/time.ts'
import type { Resources } from '../job/context.ts'
import type { Handler } from '../job/define.ts'
import { describe } from '../job/failure.ts'
import type { Planned } from '../job/schedule.ts'
import { isSealed, type Keyring } from '../job/seal.ts'
import type { RateLimit } from '../job/rate.ts'
import type { Files } from '../files/contract.ts'
import { STATE_EVERY_MS, type Task } from './crew.ts'
import { current } from './current.ts'
import { type Frame, Frames } from './frames.ts'
import { InlineCrew } from './inline.ts'
import { startDeadman, tellWhoLeft } from './lifeline.ts'
import { noteFrame, type Order, readRun, reportFrame, type Word } from './messages.ts'

/** What an executor runs: lent by the top, which knows how to load an app. */
export type Workload = {
  handlers: readonly Handler[]
  /** What the code of the app names: the foreman, which loads no app, keeps it in the store. */
  planned?: Planned
  /** A digest of what the settings of the app came to. */
  appSettings?: string
  limits?: readonly RateLimit[]
  start?: () => Partial<Resources> | Promise<Partial<Resources>>
  stop?: (resources: Partial<Resources>) => void | Promise<void>
}

/** The pipe to the foreman, as the foreman lays it. */
export const CHANNEL_FD = 3

type Parts = { files: Files; concurrency: number; scratch: string; keys: Keyring | undefined }

/**
 * The child's half: hears jobs, runs them, tells what became of them. It has no store connection;
 * only the bytes of files leave it by another way.
 */
export class Executor {
  readonly #channel: Socket
  readonly #frames: Frames<Word, Order>
  readonly #workload: Workload
  readonly #resources: Partial<Resources> | undefined
  readonly #crew: InlineCrew<Task>
  #now: Millis = 0
  #isStopping = false

  private constructor(
    channel: Socket,
    workload: Workload,
    resources: Partial<Resources> | undefined,
    { files, concurrency, scratch, keys }: Parts,
  ) {
    this.#channel = channel
    this.#workload = workload
    this.#resources = resources
    this.#frames = new Frames<Word, Order>(channel, (frame) => this.#obey(frame))
    this.#crew = new InlineCrew<Task>(
      workload.handlers,
      { files, resources, scratch, keys, limits: workload.limits ?? [] },
      concurrency,
    )
    const say = ({ message, bytes }: Frame<Word>) => this.#frames.say(message, bytes)
    this.#crew.listen({
      report: (job, report, ranMs) => say(reportFrame(job, report, ranMs)),
      note: (note) => say(noteFrame(note)),
      take: ({ id, fence }, ask, take) => this.#frames.say({ say: 'take', id, fence, ask, take }),
      ring: () => undefined,
      cutOff: () => undefined,
    })
  }

  /** Loads, starts and reports for work; ends with the pipe. */
  static async start(load: () => Promise<Workload>, parts: Parts): Promise<void> {
    // Before any user code: what that does to the event loop is nothing to a thread.
    startDeadman(0)
    const channel = new Socket({ fd: CHANNEL_FD })
    // A foreman that is gone takes its executors with it.
    channel.on('close', () => process.exit(0)).on('error', () => process.exit(0))
    try {
      const workload = await load()
      const resources = await workload.start?.()
      const executor = new Executor(channel, workload, resources, parts)
      executor.#answer()
      const { planned, appSettings } = workload
      const jobs = executor.#crew.manifest
      executor.#frames.say({ say: 'manifest', jobs, planned, appSettings })
      executor.#tellState()
    } catch (error) {
      const frames = new Frames<Word, Order>(channel, () => undefined)
      frames.say({
        say: 'broken',
        text: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
    }
  }

  #tellState(): void {
    const delay = monitorEventLoopDelay()
    delay.enable()
    let [used, at] = [process.cpuUsage(), performance.now()]
    setInterval(() => {
      const { user, system } = process.cpuUsage(used)
      const cpu = (user + system) / 1000 / (performance.now() - at)
      ;[used, at] = [process.cpuUsage(), performance.now()]
      const memoryMb = process.memoryUsage.rss() / 1_048_576
      this.#frames.say({ say: 'state', state: { memoryMb, lateMs: delay.max / 1e6, cpu } })
      delay.reset()
    }, STATE_EVERY_MS).unref()
  }

  /** Every error finds the job it belongs to, and so does an exit. */
  #answer(): void {
    const uncaught = (error: unknown) => this.#fail(error)
    process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught)
    process.on('exit', () => {
      const job = current.getStore()
      if (job && !this.#isStopping) tellWhoLeft(job.id)
    })
  }

  #fail(error: unknown): void {
    const job = current.getStore()
    const isItsEnd = job !== undefined && this.#crew.fail(job.id, job.fence, error)
    // It belongs to no attempt that could show it: then to whoever reads what the app writes.
    if (!isItsEnd)
      console.error(
        'an error that no running job can answer for:',
        job?.id ?? '',
        // What belongs to a private job is told by its kind alone.
        job && this.#isPrivate(job) ? describe(error).name : error,
      )
    this.#frames.say({ say: 'worn' })
  }

  #isPrivate({ job, input }: Task): boolean {
    const isOf = ({ definition }: Handler) => definition.name === job
    const rest = this.#workload.handlers.find(isOf)?.definition.policy.data
    return isSealed(input) || (rest !== undefined && rest !== 'inline')
  }

  #obey({ message, bytes }: Frame<Order>): void {
    switch (message.say) {
      case 'run':
        // How long it may run at most is for the foreman to see to.
        return this.#crew.begin(readRun(message.job, bytes), {
          softMs: message.softMs,
          hardMs: Infinity,
          attemptsMax: message.attemptsMax,
          now: this.#now,
        })
      case 'time':
        this.#now = message.now
        return
      case 'abort':
        return this.#crew.abort(message.id, message.fence, message.why)
      case 'noted':
        return this.#crew.noted(message.id, message.fence, message.step, message.answer)
      case 'passed':
        return this.#crew.passed(message, message.ask, message.since)
      case 'recall':
        return this.#crew.recall()
      case 'stop':
        return void this.#stop()
    }
  }

  async #stop(): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    try {
      if (this.#resources !== undefined) await this.#workload.stop?.(this.#resources)
    } catch (error) {
      console.error('the app could not be stopped:', error)
    }
    this.#channel.end(() => process.exit(0))
  }
}
