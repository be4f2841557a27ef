import type { Millis, Span } from '../base/time.ts'
import { readSpan, YEAR_MS } from './options.ts'

/** Thrown by a handler: no more attempts, the job has failed. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
}

/** Thrown by `waitFor` when its time has passed; uncaught it fails the job, as another run would find the same. */
export class SignalTimeout extends Error {
  override readonly name = 'SignalTimeout'
  readonly signal: string

  constructor(signal: string) {
    super(`no signal ${signal} came in time`)
    this.signal = signal
  }
}

/**
 * Thrown by `call` when the job that was called failed or was cancelled; uncaught it fails the caller, whose own
 * attempts would change nothing: the other had its own. A person who retries the caller has the other run again too.
 */
export class ChildFailed extends Error {
  override readonly name = 'ChildFailed'
  readonly child: string
  readonly state: 'failed' | 'cancelled' | 'completed'

  constructor(message: string, { id, state }: { id: string; state: ChildFailed['state'] }) {
    super(message)
    this.child = id
    this.state = state
  }
}

/** Thrown by a handler: counted as a failure, tried again after this span instead of the back-off. */
export class RetryAfter extends Error {
  override readonly name = 'RetryAfter'
  readonly delayMs: Millis

  /** The error that made it wait belongs in `options.cause`: it is what a final failure shows. */
  constructor(span: Span, options?: ErrorOptions) {
    super(`try again after ${span}`, options)
    this.delayMs = readSpan('RetryAfter', span)
  }
}

/**
 * Thrown by a handler: closes a limit for this long for all that take from it, and gives the job back uncounted, to run
 * again when the limit is open. A job that should not wait for ever needs a `deadline`.
 */
export class Hold extends Error {
  override readonly name = 'Hold'
  readonly limit: string
  readonly holdMs: Millis

  constructor(limit: string, span: Span, options?: ErrorOptions) {
    super(`hold ${limit} for ${span}`, options)
    this.limit = limit
    this.holdMs = readSpan('Hold', span, { min: 1, max: YEAR_MS })
  }
}
