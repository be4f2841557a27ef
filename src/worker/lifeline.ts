import { writeSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import type { Millis } from '../base/time.ts'
import type { JobId } from '../job/job.ts'

/** The second pipe between a process and the one that keeps it: what passes here needs no event loop of user code. */
export const LIFELINE_FD = 4

/** To a dead-man thread. `until` is a moment of the monotonic clock. */
export type Ask = { until: Millis } | { who: true }
/** From it: whether the event loop turns, and the job on it if it does not; or who ended the process. */
export type Tell = { isFree: boolean; blocker?: JobId } | { leftBy: JobId }

export type Blocking = { isFree: boolean; blocker?: JobId }

/** Beyond what the other end may take to find out (deadman.ts). */
const WHO_MS = 1500

/** The end of the pipe that the keeper holds: while it is open, and until the moment given, the process may live. */
export class Lifeline {
  /** The job whose handler ended the process, as it said with its last word. */
  leftBy: JobId | undefined
  readonly #stream: Duplex
  #answer: ((blocking: Blocking) => void) | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
    createInterface({ input: stream })
      .on('error', () => undefined)
      .on('line', (line) => this.#hear(line))
  }

  live(until: Millis): void {
    this.#say({ until })
  }

  /** Which job keeps the event loop from turning. A process that cannot answer is taken for blocked. */
  who(): Promise<Blocking> {
    const { promise, resolve } = Promise.withResolvers<Blocking>()
    const late = setTimeout(() => resolve({ isFree: false }), WHO_MS)
    this.#answer = resolve
    this.#say({ who: true })
    return promise.finally(() => clearTimeout(late))
  }

  #say(ask: Ask): void {
    if (this.#stream.writable) this.#stream.write(`${JSON.stringify(ask)}\n`)
  }

  #hear(line: string): void {
    const said: Tell = JSON.parse(line)
    if ('leftBy' in said) this.leftBy = said.leftBy
    else this.#answer?.(said)
  }
}

/**
 * Starts the thread that ends this process, and all it started, when its keeper is gone or its time is
 * over: whatever the event loop is doing. `graceMs` is what it may take to end by itself.
 */
export function startDeadman(graceMs: Millis): void {
  const thread = new Worker(new URL('./deadman.ts', import.meta.url), {
    workerData: { fd: LIFELINE_FD, graceMs },
  })
  thread.on('message', () => thread.postMessage('here'))
  thread.unref()
}

/** Says on the way out which job ended the process; nobody may be left to hear it. */
export function tellWhoLeft(leftBy: JobId): void {
  try {
    writeSync(LIFELINE_FD, `${JSON.stringify({ leftBy } satisfies Tell)}\n`)
  } catch {
    // Then every job here is a suspect.
  }
}
