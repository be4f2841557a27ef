import { type Millis, TIMER_MAX_MS } from './time.ts'

/** A sleep that can be cut short. A ring while nobody waits is kept for the next wait. */
export class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** Resolves at the next ring, at once if it has rung meanwhile, or after `ms`. */
  wait(ms: Millis): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = undefined
        this.#rung = false
        resolve()
      }
      const timer = setTimeout(done, Math.min(ms, TIMER_MAX_MS))
      this.#wake = done
      if (this.#rung) done()
    })
  }
}
