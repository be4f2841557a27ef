import type { Clock, Millis, Span } from '../base/time.ts'
import { readSpan } from '../job/options.ts'

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  #now: Millis

  constructor(now: Millis = Date.UTC(2026, 10, 21)) {
    this.#now = now
  }

  now(): Millis {
    return this.#now
  }

  set(now: Millis): void {
    this.#now = now
  }

  /** @throws ErrandError INVALID_OPTION */
  advance(span: Span): void {
    this.#now += readSpan('advance', span)
  }
}
