import type { Clock, Millis } from '../../src/base/time.ts'

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  #now: Millis = Date.UTC(2026, 10, 21)

  now(): Millis {
    return this.#now
  }

  set(now: Millis): void {
    this.#now = now
  }

  advance(ms: Millis): void {
    this.#now += ms
  }
}
