import { type ChildProcess, spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import type { Millis } from '../base/time.ts'
import { CHANNEL_FD } from './executor.ts'
import { LIFELINE_FD } from './lifeline.ts'

/** One that the kernel, or a pipe held elsewhere, does not let go of is told of all the same. */
const REAP_MS: Millis = 1000

/** A process and all it starts: killed together, and ended when nothing it said is left in its pipes. */
export class Group {
  readonly channel: Duplex
  readonly lifeline: Duplex
  /** Why it ended: a signal, or an exit code. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess
  readonly #end: (why: string) => void
  #isOver = false

  constructor(entry: string, args: readonly string[]) {
    const stdio: ('ignore' | 'inherit' | 'pipe')[] = ['ignore', 'inherit', 'inherit']
    stdio[CHANNEL_FD] = stdio[LIFELINE_FD] = 'pipe'
    // A group of its own: what a handler starts is killed with it.
    this.#process = spawn(process.execPath, ['--no-warnings', entry, ...args], {
      stdio,
      detached: true,
    })
    this.channel = this.#pipe(CHANNEL_FD)
    this.lifeline = this.#pipe(LIFELINE_FD)
    const { promise, resolve } = Promise.withResolvers<string>()
    this.ended = promise
    this.#end = resolve
    this.#process
      .on('error', (error) => this.#finish(error.message))
      .on('exit', (code, signal) => {
        this.#signal()
        this.#finishSoon(signal ?? `exit code ${code}`)
      })
      .on('close', (code, signal) => this.#finish(signal ?? `exit code ${code}`))
  }

  kill(): void {
    this.#signal()
    this.#finishSoon('SIGKILL')
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  #signal(): void {
    const { pid } = this.#process
    if (this.#isOver || pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }

  #finishSoon(why: string): void {
    setTimeout(() => this.#finish(why), REAP_MS).unref()
  }

  #finish(why: string): void {
    this.#signal()
    this.#isOver = true
    this.#end(why)
  }

  #pipe(fd: number): Duplex {
    const pipe = this.#process.stdio[fd]
    if (!(pipe instanceof Duplex)) throw new TypeError('a pipe was asked for')
    // Its end is told by the process's own.
    return pipe.on('error', () => undefined)
  }
}
