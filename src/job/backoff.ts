import type { Millis, Span } from '../base/time.ts'
import { ErrandError } from './errors.ts'
import { readSpan, refuseUnknown } from './options.ts'

/** How long to wait before each retry, as it travels with a job: a list whose last delay repeats, or a curve. */
export type Backoff = readonly Millis[] | { baseMs: Millis; maxMs?: Millis; jitter?: number }

/** Each delay twice the one before. `jitter` 0.25 means ± 25 %; there is none unless asked for. */
export function exponential(base: Span, options: { max?: Span; jitter?: number } = {}): Backoff {
  refuseUnknown(options, ['max', 'jitter'])
  const { max, jitter = 0 } = options
  if (!(jitter >= 0 && jitter <= 1))
    throw new ErrandError('INVALID_OPTION', { option: 'jitter', problem: 'needs 0 to 1' })
  return {
    baseMs: readSpan('backoff', base),
    ...(max !== undefined && { maxMs: readSpan('backoff.max', max) }),
    ...(jitter > 0 && { jitter }),
  }
}

/** `'1m'`, `['1m', '2m']` or what `exponential` made. */
export function readBackoff(backoff: Span | readonly Span[] | Backoff): Backoff {
  if (Array.isArray(backoff)) return backoff.map((span: unknown) => readSpan('backoff', span))
  return typeof backoff === 'object' && 'baseMs' in backoff
    ? backoff
    : [readSpan('backoff', backoff)]
}

/** The delay after the nth failure, counted from 0. */
export function delayAfter(
  failures: number,
  backoff: Backoff,
  random: () => number = Math.random,
): Millis {
  if (!('baseMs' in backoff)) return backoff[Math.min(failures, backoff.length - 1)] ?? 0
  const { baseMs, maxMs = 86_400_000, jitter = 0 } = backoff
  const delay = Math.min(baseMs * 2 ** Math.min(failures, 52), maxMs)
  return Math.round(delay * (1 + jitter * (random() * 2 - 1)))
}
