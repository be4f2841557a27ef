import { APIConnectionError, APIError } from 'openai'
import { readRetryAfter } from '../common/retry-after.ts'

/**
 * What a refusal of the LLM means: `TRANSIENT` and `RATE_LIMITED` pass by themselves; `AUTH`, `QUOTA`, `INVALID` and
 * `CONTENT` need a person.
 */
export type LlmCode = 'TRANSIENT' | 'RATE_LIMITED' | 'AUTH' | 'QUOTA' | 'INVALID' | 'CONTENT'

const PASSING: readonly LlmCode[] = ['TRANSIENT', 'RATE_LIMITED']

export class LlmError extends Error {
  override readonly name = 'LlmError'
  readonly code: LlmCode
  /** How long the service asked to be left alone. */
  readonly retryAfterMs: number | undefined

  /** Another attempt may be answered otherwise. */
  readonly passes: boolean

  constructor(
    code: LlmCode,
    message: string,
    {
      retryAfterMs,
      passes = PASSING.includes(code),
    }: { retryAfterMs?: number | undefined; passes?: boolean } = {},
  ) {
    super(message)
    this.code = code
    this.retryAfterMs = retryAfterMs
    this.passes = passes
  }
}

export const isPassing = (error: unknown): error is LlmError =>
  error instanceof LlmError && error.passes

const MESSAGE_MAX = 300
const KEY_LIKE = /\b(?:sk|key|pk)-[\w-]{6,}/g

/** An error of the client as one of ours. Whatever it says, it never says the key. */
export function toLlmError(error: unknown, secret: string): unknown {
  if (error instanceof LlmError || !(error instanceof Error)) return error
  const message = redact(error.message, secret)
  if (error instanceof APIConnectionError) return new LlmError('TRANSIENT', message)
  if (error instanceof APIError)
    return new LlmError(codeOf(error), message, { retryAfterMs: readRetryAfter(error.headers) })
  // A page of somebody between is no answer.
  if (error instanceof SyntaxError) return new LlmError('TRANSIENT', 'the answer is no JSON')
  // Fetch names the cause where a body is cut or garbled; a slip of our own code has none.
  if (error instanceof TypeError && error.cause instanceof Error)
    return new LlmError(
      'TRANSIENT',
      redact(`the answer cannot be read: ${error.cause.message}`, secret),
    )
  return message === error.message ? error : new LlmError('INVALID', message)
}

function codeOf({ status = 0, code }: APIError): LlmCode {
  // 429 means two things: too fast, and nothing left to spend.
  if (code === 'insufficient_quota') return 'QUOTA'
  if (status === 429) return 'RATE_LIMITED'
  if (status === 401 || status === 403) return 'AUTH'
  // Whoever stands between may lead elsewhere for a while: nobody is followed there.
  const isLed = status >= 300 && status < 400
  if (isLed || status === 408 || status === 409 || status >= 500 || status === 0) return 'TRANSIENT'
  return code === 'content_filter' ? 'CONTENT' : 'INVALID'
}

function redact(message: string, secret: string): string {
  const bare = secret === '' ? message : message.replaceAll(secret, '[key]')
  return bare.replaceAll(KEY_LIKE, '[key]').slice(0, MESSAGE_MAX)
}
