import { monotonic, type Millis } from '../base/time.ts'
import { LATE_MAX_MS, lateOf, type RateLimit, limitNamed, type Take } from '../job/rate.ts'
import { readCount } from '../job/options.ts'

type Parts = {
  limits: readonly RateLimit[]
  ask: (ask: number, take: Take) => void
  /** Fires when the attempt is to end. */
  signal: AbortSignal
}

/** What one attempt asks of limits. */
export class Takes {
  readonly #parts: Parts
  readonly #asked = new Map<number, (since: Millis) => void>()
  #ask = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws ErrandError UNKNOWN_LIMIT, INVALID_OPTION; the reason of its abort signal */
  async take(name: string, n = 1): Promise<void> {
    const { count, spanMs } = limitNamed(this.#parts.limits, name)
    readCount('n', n, { min: 1, max: count })
    for (let lateMs = lateOf({ spanMs }); ;) {
      const since = await this.#pass({ limit: name, count, windowMs: spanMs, n, lateMs })
      const tookMs = monotonic() - since
      // Half of what it may be late is for the way to whoever is called.
      if (2 * tookMs <= lateMs) return
      // A call made now might come when others pass: it counts for nothing, and what is slow is given its time.
      lateMs = Math.min(4 * tookMs, LATE_MAX_MS)
    }
  }

  /** So much later than `since` the store has let it pass, at most. */
  passed(ask: number, since: Millis): void {
    this.#asked.get(ask)?.(since)
  }

  async #pass(take: Take): Promise<Millis> {
    const { signal, ask } = this.#parts
    signal.throwIfAborted()
    const number = ++this.#ask
    const { promise, resolve, reject } = Promise.withResolvers<Millis>()
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#asked.set(number, resolve)
    ask(number, take)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', abort)
      this.#asked.delete(number)
    }
  }
}
