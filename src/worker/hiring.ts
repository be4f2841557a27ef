import { setTimeout as sleep } from 'node:timers/promises'
import type { Millis } from '../base/time.ts'

/** Somebody hired: for how many handlers, and when. */
export type Hired = { readonly share: number; readonly bornAt: Millis }

const REST_MS = { min: 500, max: 30_000 }
/** One that lived this long did not die of being started. */
const STEADY_MS = 10_000

/**
 * Starts executors: at once the first time one has died; after a rest that grows while they die before
 * they have done anything, or while the machine is too short of something to start any.
 */
export class Hiring<Hand extends Hired> implements Disposable {
  readonly #start: (share: number) => Hand
  readonly #onError: (error: unknown) => void
  readonly #bounds: typeof REST_MS
  readonly #over = new AbortController()
  #restMs: Millis = 0

  constructor(start: (share: number) => Hand, onError: (error: unknown) => void, restMs = REST_MS) {
    this.#bounds = restMs
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
  now(share: number): Hand | undefined {
    try {
      return this.#start(share)
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }

  /** One in the place of another that died, however long it takes; none once all is over. */
  async after({ share, bornAt }: Hand, hired: (hand: Hand) => void): Promise<void> {
    if (performance.now() - bornAt >= STEADY_MS) this.well()
    return this.later(share, hired)
  }

  async later(share: number, hired: (hand: Hand) => void): Promise<void> {
    for (;;) {
      await this.rest()
      if (this.isOver) return
      const hand = this.now(share)
      if (hand) return hired(hand)
    }
  }

  /** Waits as long as it is time to, and longer the next time. */
  async rest(): Promise<void> {
    const ms = this.#restMs
    this.#restMs = Math.min(Math.max(ms * 2, this.#bounds.min), this.#bounds.max)
    if (ms === 0) return
    await sleep(ms, undefined, { signal: this.#over.signal, ref: false }).catch(() => undefined)
  }
}
