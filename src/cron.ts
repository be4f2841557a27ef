import { Cron } from 'croner'
import type { Millis } from './base/time.ts'
import type { NextCron } from './job/rule.ts'

/** Parsing costs more than a look, and there are few rules. */
const KNOWN_MAX = 1000
const known = new Map<string, Cron>()

/**
 * When a cron rule of five fields, or of six with seconds first, fires next. As Vixie cron has it: a rule whose
 * seconds, minutes and hours are all named is *fixed*, and fires once for each: at the first of two moments that
 * bear the same local time, and at the end of the gap where none does. All others fire whenever the clock on the
 * wall shows what they say.
 */
export const nextCron: NextCron = (cron, zone, after) => {
  const next = nextIn(zone, cron, after)
  return isFixed(cron) ? (leftOut(cron, zone, after, next ?? after) ?? next) : next
}

function nextIn(zone: string, cron: string, after: Millis): Millis | undefined {
  const rule = known.get(`${zone} ${cron}`) ?? learn(zone, cron)
  return rule.nextRun(new Date(after))?.getTime()
}

function learn(zone: string, cron: string): Cron {
  const options = { timezone: zone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' } as const
  const rule = new Cron(cron, { ...options, paused: true })
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(`${zone} ${cron}`, rule)
  return rule
}

/** As croner has it. */
const isFixed = (cron: string): boolean =>
  !/[*/]|@hourly/i.test(cron.trim().split(/\s+/).slice(0, -3).join() || cron)

/**
 * The end of a gap in which a fixed rule would have fired: croner looks for it within the day, but in some zones
 * the clock is put forward at the end of one (Nuuk, on a Saturday from 23:00 to midnight).
 */
function leftOut(cron: string, zone: string, after: Millis, before: Millis): Millis | undefined {
  let at = Temporal.Instant.fromEpochMilliseconds(after).toZonedDateTimeISO(zone)
  for (;;) {
    const turn = at.getTimeZoneTransition('next')
    if (turn === null || turn.epochMilliseconds >= before) return undefined
    const end = turn.epochMilliseconds
    const [from, to] = [turn.subtract({ milliseconds: 1 }), turn].map(
      ({ offsetNanoseconds }) => end + offsetNanoseconds / 1e6,
    )
    if (from === undefined || to === undefined) return undefined
    // The clock on the wall, as if it were that of a zone without gaps.
    if ((nextIn('UTC', cron, from - 1) ?? Infinity) < to) return end
    at = turn
  }
}
