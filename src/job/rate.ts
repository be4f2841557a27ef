import { nearest } from '../base/nearest.ts'
import { formatSpan, type Millis, parseSpan, type Unit } from '../base/time.ts'
import { ErrandError } from './errors.ts'
import type { Fence } from './job.ts'
import { readName, refuseUnknown } from './options.ts'

/** So many calls in so long: `'60/m'`, `'10/s'`, `'20/500ms'`. */
export type Rate = `${number}/${Unit}` | `${number}/${number}${Unit}`

/** What `defineLimit` returns: in no span of this length are more calls made, by all workers of a store together. */
export type RateLimit = { readonly name: string; readonly count: number; readonly spanMs: Millis }

/**
 * `n` calls at once, where at most `count` may be made in any span of `windowMs`. They are made within `lateMs` of being
 * let pass, `LATE_MAX_MS` at most, and count from then.
 */
export type Take = {
  limit: string
  count: number
  windowMs: Millis
  n: number
  lateMs: Millis
}

/** A limit as it was used last: without a rate when it was only held. */
export type RateRow = {
  name: string
  rate?: { count: number; windowMs: Millis }
  /** How many calls passed within the span up to now. */
  taken: number
  closedUntil?: Millis
}

/** A limit as people see it. */
export type RateView = {
  name: string
  rate?: string
  /** How many calls passed within the span up to now, and how many may. */
  taken: number
  count?: number
  closedUntil?: string
}

/** What is remembered of a limit grows with this. */
const COUNT_MAX = 10_000
const SPAN_MS = { min: 10, max: 366 * 86_400_000 }
const LATE_MS = { min: 100, max: 1000 }
/** A call that would be later yet is not made: it is asked for again. Stores take what is beyond it for a clock that went back. */
export const LATE_MAX_MS: Millis = 10_000

const RATE = /^(\d{1,5})\/(\d+(?:\.\d+)?)?(ms|s|m|h|d)$/

/**
 * Says how many calls may be made in which span; handlers ask by `take`. All apps of a store that use a name share it,
 * and should say the same of it.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION
 */
export function defineLimit(name: string, options: { rate: Rate }): RateLimit {
  refuseUnknown(options, ['rate'])
  const [, count = '', amount = '1', unit = ''] = RATE.exec(options.rate) ?? []
  const limit = { count: Number(count), spanMs: parseSpan(`${amount}${unit}`) ?? 0 }
  const fits = limit.spanMs >= SPAN_MS.min && limit.spanMs <= SPAN_MS.max
  if (limit.count >= 1 && limit.count <= COUNT_MAX && fits)
    return { name: readName('limit', name), ...limit }
  const problem = `needs 1 to ${COUNT_MAX} calls in 10 ms to a year, such as '60/m' or '20/6s'`
  throw new ErrandError('INVALID_OPTION', { option: 'rate', problem })
}

/**
 * So much later than it was let pass a call may be made: what the way to the handler takes, and from there to whoever
 * is called. It counts from then, so nobody is called too often, and a little less often than the rate says.
 */
export const lateOf = ({ spanMs }: Pick<RateLimit, 'spanMs'>): Millis =>
  Math.round(Math.min(Math.max(spanMs / 20, LATE_MS.min), LATE_MS.max))

/** The limit of this name. @throws ErrandError UNKNOWN_LIMIT with the nearest there is */
export function limitNamed(limits: readonly RateLimit[], name: string): RateLimit {
  const found = limits.find((limit) => limit.name === name)
  return found ?? refuseLimit(name, limits)
}

/** @throws ErrandError UNKNOWN_LIMIT */
export function refuseLimit(name: string, known: readonly { name: string }[]): never {
  const close = nearest(
    name,
    known.map((limit) => limit.name),
  )
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  throw new ErrandError('UNKNOWN_LIMIT', { limit: name.slice(0, 100), hint })
}

/** A rate as it is written: `60/m`. */
export const formatRate = (count: number, spanMs: Millis): string =>
  `${count}/${exactSpan(spanMs).replace(/^1(?=[a-z])/, '')}`

export const toRateView = ({ name, rate, taken, closedUntil }: RateRow): RateView => ({
  name,
  ...(rate && { rate: formatRate(rate.count, rate.windowMs), count: rate.count }),
  taken,
  ...(closedUntil !== undefined && { closedUntil: new Date(closedUntil).toISOString() }),
})

/** People are shown spans to one decimal; here that might be another rate. */
function exactSpan(ms: Millis): string {
  const short = formatSpan(ms)
  if (parseSpan(short) === ms) return short
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** What a job that was given back because of a limit waits for, as people see it. */
export const limitWait = (limit: string): string => `limit:${limit}`

/** The letter that wakes it before its time, once: a later run may be given back again. */
export const opened = (limit: string, fence: Fence): string => `opened:${limit}:${fence}`
