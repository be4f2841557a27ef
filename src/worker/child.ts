import { type ChildProcess, spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import type { Millis } from '../base/time.ts'
import { ErrandError } from '../job/errors.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import type { Abort, Ear } from './crew.ts'
import { CHANNEL_FD } from './executor.ts'
import { type Frame, Frames } from './frames.ts'
import { type Order, readNote, readReport, runFrame, type Word } from './messages.ts'

export type ChildOptions = {
  /** The file an executor runs, and what it is told: which app, where files lie. */
  entry: string
  args: readonly string[]
}

/** How long an idle executor may take to stop what its app started. */
const STOP_MS = 5000

/** One executor as its foreman sees it: a process group, a pipe, and the jobs it holds. */
export class Child {
  /** The names of the jobs it has handlers for. @throws ErrandError INVALID_APP */
  readonly ready: Promise<readonly string[]>
  onEnd: () => void = () => undefined
  onReport: () => void = () => undefined
  done = 0
  memoryMb = 0
  isClosing = false
  readonly bornAt = performance.now()
  /** How many handlers it runs at once. */
  readonly share: number
  readonly #process: ChildProcess
  readonly #frames: Frames<Order, Word>
  readonly #jobs = new Map<JobId, Claimed>()
  readonly #ended: Promise<void>
  #ear: Ear = { report: () => undefined, note: () => undefined, ring: () => undefined }
  #isReady = false
  #isOver = false

  constructor({ entry, args }: ChildOptions, share: number) {
    this.share = share
    const stdio: ('ignore' | 'inherit' | 'pipe')[] = ['ignore', 'inherit', 'inherit']
    stdio[CHANNEL_FD] = 'pipe'
    // A group of its own: what a handler starts is killed with it.
    this.#process = spawn(process.execPath, ['--no-warnings', entry, `${share}`, ...args], {
      stdio,
      detached: true,
    })
    const channel = this.#process.stdio[CHANNEL_FD]
    if (!(channel instanceof Duplex)) throw new TypeError('a pipe was asked for')
    channel.on('error', () => undefined) // its end is told by the process's exit
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>()
    this.ready = promise
    this.#frames = new Frames<Order, Word>(channel, (frame) => this.#hear(frame, resolve, reject))
    this.#ended = new Promise((resolveEnd) => {
      const end = (why: string) => {
        this.#end()
        reject(
          new ErrandError('INVALID_APP', {
            file: args[0] ?? entry,
            problem: `ended while it started: ${why}`,
          }),
        )
        resolveEnd()
      }
      this.#process
        .on('error', (error) => end(error.message))
        .on('exit', (code, signal) => end(`${signal ?? code}`))
    })
  }

  get isOpen(): boolean {
    return this.#isReady && !this.#isOver && !this.isClosing
  }

  get held(): number {
    return this.#jobs.size
  }

  listen(ear: Ear): void {
    this.#ear = ear
  }

  begin(job: Claimed, softMs: Millis): void {
    this.#jobs.set(job.id, job)
    const { message, bytes } = runFrame(job, softMs)
    this.#frames.say(message, bytes)
  }

  abort(id: JobId, fence: Fence, why: Abort): void {
    if (this.#jobs.get(id)?.fence === fence) this.#frames.say({ say: 'abort', id, fence, why })
  }

  recall(): void {
    this.#frames.say({ say: 'recall' })
  }

  /** Takes no more jobs, and ends when those it has are done. */
  close(): void {
    this.isClosing = true
    if (this.#jobs.size === 0) this.#frames.say({ say: 'stop' })
  }

  /** Ends in good order once it is idle. */
  async stop(): Promise<void> {
    this.close()
    const late = setTimeout(() => this.kill(), STOP_MS)
    await this.#ended
    clearTimeout(late)
  }

  /** Kills the group. Its jobs are told as crashed, or as released when it was we who gave up on them. */
  kill(as?: 'released'): void {
    if (as) this.#tell({ how: as })
    const { pid } = this.#process
    if (this.#isOver || pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }

  #hear(
    { message, bytes }: Frame<Word>,
    resolve: (jobs: readonly string[]) => void,
    reject: (error: Error) => void,
  ): void {
    switch (message.say) {
      case 'manifest':
        this.#isReady = true
        resolve(message.jobs)
        return this.#ear.ring()
      case 'broken':
        this.kill()
        return reject(
          new ErrandError('INVALID_APP', {
            file: 'given',
            problem: `cannot be started: ${message.text}`,
          }),
        )
      case 'memory':
        this.memoryMb = message.mb
        return
      case 'note':
        return this.#ear.note(readNote(message, bytes))
      case 'report': {
        const job = this.#jobs.get(message.id)
        if (job?.fence !== message.fence) return
        this.#jobs.delete(message.id)
        this.done++
        this.#ear.report(job, readReport(message.report, bytes), message.ranMs)
        this.onReport()
        if (this.isClosing && this.#jobs.size === 0) this.#frames.say({ say: 'stop' })
      }
    }
  }

  #end(): void {
    if (this.#isOver) return
    // What its handlers started goes with it.
    this.kill()
    this.#isOver = true
    this.#tell({ how: 'crashed' })
    this.onEnd()
  }

  #tell(report: Report): void {
    const jobs = [...this.#jobs.values()]
    this.#jobs.clear()
    for (const job of jobs) this.#ear.report(job, report, 0)
  }
}
