import { RetryAfter } from 'errand'

const MAX_MS = 86_400_000

/** How long a service asks to be left alone, in seconds or until a date; a day at most (RFC 9110, 10.2.3). */
export function readRetryAfter(headers: Headers | undefined): number | undefined {
  const text = headers?.get('retry-after') ?? ''
  if (text === '') return undefined
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(Math.ceil(ms), 0), MAX_MS) : undefined
}

/** What to throw so that a service is left alone for as long as it asks, and never for less than `usualMs`. */
export const noSooner = (error: Error, waitMs: number | undefined, usualMs: number): Error =>
  waitMs !== undefined && waitMs > usualMs ? new RetryAfter(waitMs, { cause: error }) : error
