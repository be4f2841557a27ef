import { type Millis, TIMER_MAX_MS } from './time.ts'

/**
 * One timer for many deadlines, by the clock of `performance.now()`. To add one that is later than the
 * next costs nothing, and most are.
 */
export class Alarm implements Disposable {
  readonly #ring: () => Millis
  #at = Infinity
  #timer: NodeJS.Timeout | undefined

  /** `ring` does what is due and says when the next deadline is: `Infinity` for none. */
  constructor(ring: () => Millis) {
    this.#ring = ring
  }

  by(at: Millis): void {
    if (at >= this.#at) return
    clearTimeout(this.#timer)
    this.#at = at
    const ms = Math.max(0, Math.min(at - performance.now(), TIMER_MAX_MS))
    this.#timer = setTimeout(() => this.#fire(), ms)
    this.#timer.unref()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#at = -Infinity
  }

  #fire(): void {
    this.#at = Infinity
    this.by(this.#ring())
  }
}
