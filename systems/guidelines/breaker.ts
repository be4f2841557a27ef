import { Hold, RetryAfter } from 'errand'
import { llmLimit } from './contract.ts'
import { isPassing, LlmError } from './llm-errors.ts'

export type BreakerOptions = {
  /** After so many failures in a row nobody calls for a while; never with 0. */
  failures: number
  holdMs: number
  /** Who asks to be left alone for longer is asked again then: it may be a mistake, and a day is many jobs' deadline. */
  retryAfterMaxMs: number
}

/** Sees every call of its process, and says when all should stop calling. */
export class Breaker {
  readonly #options: BreakerOptions
  #inARow = 0

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  async guard<T>(call: () => Promise<T>): Promise<T> {
    try {
      const value = await call()
      this.#inARow = 0
      return value
    } catch (error) {
      throw this.#judge(error)
    }
  }

  /**
   * A closed limit stops the calls of all workers, and gives the job back uncounted; else the job's own attempts
   * decide.
   */
  #judge(error: unknown): unknown {
    if (!isPassing(error)) {
      if (error instanceof LlmError) this.#inARow = 0
      return error
    }
    const { failures, holdMs, retryAfterMaxMs } = this.#options
    const { code } = error
    const retryAfterMs = error.retryAfterMs && Math.min(error.retryAfterMs, retryAfterMaxMs)
    if (code === 'RATE_LIMITED' && retryAfterMs !== undefined)
      return new Hold(llmLimit.name, Math.max(1, retryAfterMs), { cause: error })
    if (failures > 0 && ++this.#inARow >= failures)
      return new Hold(llmLimit.name, Math.max(holdMs, retryAfterMs ?? 0), { cause: error })
    return retryAfterMs === undefined ? error : new RetryAfter(retryAfterMs, { cause: error })
  }
}
