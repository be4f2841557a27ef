import type { Millis, Span } from '../base/time.ts'
import { ErrandError } from './errors.ts'
import { readMoment, readSpan, YEAR_MS } from './options.ts'

/** When a schedule fires: as a cron rule says in a zone, or at each of these spans from a moment. */
export type Rule = { cron: string; zone: string } | { everyMs: Millis; startAt: Millis }

/**
 * The first moment after another at which a cron rule fires in a zone; nothing when it never does. Lent from
 * above: down here there are no packages. Throws where the text is no such rule.
 */
export type NextCron = (cron: string, zone: string, after: Millis) => Millis | undefined

export type RuleOptions = {
  /** Five fields, or six with seconds first: `0 2 * * *`; names (`mon`), `L`, `#` and `@daily` are known. */
  cron?: string
  /** An IANA zone such as `Australia/Perth`, for `cron`; that of the app unless said. */
  zone?: string
  /** A span from 1 s to 366 days: `'90s'`, `'1d'`. Counted from `start`. */
  every?: Span
  /** Where `every` begins; unless said, at the beginning of 1970 in UTC, so that `'1h'` fires on the hour. */
  start?: Date | Temporal.Instant | string
}

const CRON_MAX = 200
const ZONE = /^[A-Za-z][\w+/-]{0,63}$/

/** @throws ErrandError INVALID_OPTION, INVALID_CRON, CRON_NEVER_FIRES, UNKNOWN_TIME_ZONE */
export function readRule(
  { cron, zone, every, start }: RuleOptions,
  usualZone: string,
  next: NextCron,
): Rule {
  if ((cron === undefined) === (every === undefined)) refuse('cron', 'or every is needed, and one')
  if (cron !== undefined) {
    if (start !== undefined) refuse('start', 'goes with every')
    return readCron(cron, readZone(zone ?? usualZone), next)
  }
  if (zone !== undefined) refuse('zone', 'goes with cron')
  const startAt = start === undefined ? 0 : readMoment(start)
  if (startAt === undefined) return refuse('start', 'needs an instant such as 2026-11-21T02:00:00Z')
  return { everyMs: readSpan('every', every, { min: 1000, max: YEAR_MS }), startAt }
}

/** @throws ErrandError UNKNOWN_TIME_ZONE */
export function readZone(zone: string): string {
  try {
    if (ZONE.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }).format() !== '')
      return zone
  } catch {
    // Falls through to the refusal.
  }
  throw new ErrandError('UNKNOWN_TIME_ZONE', { zone: ZONE.test(zone) ? zone : 'given' })
}

function readCron(cron: string, zone: string, next: NextCron): Rule {
  if (typeof cron !== 'string' || cron.length > CRON_MAX)
    throw new ErrandError('INVALID_CRON', { problem: `needs at most ${CRON_MAX} characters` })
  // It would stand for the moment at which somebody reads it.
  if (cron.includes('?')) throw new ErrandError('INVALID_CRON', { problem: 'knows no ?; write *' })
  let first: Millis | undefined
  try {
    first = next(cron, zone, Date.now())
  } catch (cause) {
    throw new ErrandError('INVALID_CRON', { problem: problemOf(cause) }, { cause })
  }
  if (first === undefined) throw new ErrandError('CRON_NEVER_FIRES', {})
  return { cron, zone }
}

const problemOf = (cause: unknown): string =>
  cause instanceof Error
    ? cause.message.replace(/^CronPattern: /, '').replaceAll(/\p{Cc}/gu, ' ')
    : 'is not one'

function refuse(option: string, problem: string): never {
  throw new ErrandError('INVALID_OPTION', { option, problem })
}

/** The first moment after another at which a rule fires. */
export function nextOf(rule: Rule, after: Millis, next: NextCron): Millis | undefined {
  if ('cron' in rule) return next(rule.cron, rule.zone, after)
  const { everyMs, startAt } = rule
  return after < startAt
    ? startAt
    : startAt + (Math.floor((after - startAt) / everyMs) + 1) * everyMs
}

/** The moments after another and not after `until`, in order, `count` at most. */
export function momentsOf(
  rule: Rule,
  after: Millis,
  count: number,
  next: NextCron,
  until: Millis = Infinity,
): Millis[] {
  const moments: Millis[] = []
  let at = nextOf(rule, after, next)
  while (at !== undefined && at <= until && moments.length < count) {
    moments.push(at)
    at = nextOf(rule, at, next)
  }
  return moments
}

/** The last moment that is not after `until`, of a rule that fires in (`after`, `until`]. */
export function lastOf(
  rule: Rule,
  after: Millis,
  until: Millis,
  next: NextCron,
): Millis | undefined {
  const isThere = (from: Millis) => (nextOf(rule, from, next) ?? Infinity) <= until
  if (!isThere(after)) return undefined
  // As late as can be while something still follows.
  let [from, to] = [after, until]
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (isThere(middle)) from = middle
    else to = middle
  }
  return nextOf(rule, from, next)
}
