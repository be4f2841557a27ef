import { setTimeout as sleep } from 'node:timers/promises'
import type { Millis } from '../base/time.ts'
import type { Child } from './child.ts'

const REST_MIN_MS = 500
const REST_MAX_MS = 30_000
/** One that lived this long did not die of being started. */
const STEADY_MS = 10_000

/**
 * Starts executors: at once the first time one has died; after a rest that grows while they die before
 * they have done anything, or while the machine is too short of something to start any.
 */
export class Hiring implements Disposable {
  readonly #start: (share: number) => Child
  readonly #onError: (error: unknown) => void
  readonly #over = new AbortController()
  #restMs: Millis = 0

  constructor(start: (share: number) => Child, onError: (error: unknown) => void) {
    this.#start = start
    this.#onError = onError
  }

  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  /** Nothing is started any more. */
  [Symbol.dispose](): void {
    this.#over.abort()
  }

  /** They do their work again. */
  well(): void {
    this.#restMs = 0
  }

  /** One if it can be had just now. */
  now(share: number): Child | undefined {
    try {
      return this.#start(share)
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }

  /** One in the place of another that died, however long it takes; none once all is over. */
  async after({ share, bornAt }: Child, hired: (child: Child) => void): Promise<void> {
    if (performance.now() - bornAt >= STEADY_MS) this.well()
    return this.later(share, hired)
  }

  async later(share: number, hired: (child: Child) => void): Promise<void> {
    for (let child: Child | undefined; child === undefined;) {
      await this.rest()
      if (this.isOver) return
      child = this.now(share)
      if (child) hired(child)
    }
  }

  /** Waits as long as it is time to, and longer the next time. */
  async rest(): Promise<void> {
    const ms = this.#restMs
    this.#restMs = Math.min(Math.max(ms * 2, REST_MIN_MS), REST_MAX_MS)
    if (ms === 0) return
    await sleep(ms, undefined, { signal: this.#over.signal, ref: false }).catch(() => undefined)
  }
}
