/**
 * When rules fire, reckoned without a cron library: day by day on the calendar, minute by minute on the wall.
 * Of cron it knows fields of numbers, lists, ranges, steps and stars.
 */
const MINUTE = 60_000
const DAY = 1440

const BOUNDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const

export type Reckoned = {
  /** Minutes of a day at which it fires. */
  minutes: ReadonlySet<number>
  isDay(date: Temporal.PlainDate): boolean
  /** It names its minutes and hours: what the clock leaves out is made up for, what it repeats is not. */
  isFixed: boolean
}

export function reckon(cron: string): Reckoned {
  const fields = cron.split(' ')
  const [minute, hour, day, month, weekday] = fields.map((field, i) =>
    setOf(field, BOUNDS[i] ?? [0, 0]),
  )
  const either = !fields[2]?.startsWith('*') && !fields[4]?.startsWith('*')
  const minutes = new Set<number>()
  for (const h of hour ?? []) for (const m of minute ?? []) minutes.add(h * 60 + m)
  return {
    minutes,
    isFixed: !/[*/]/.test(`${fields[0]}${fields[1]}`),
    isDay: (date) => {
      const [isDay, isWeekday] = [day?.has(date.day), weekday?.has(date.dayOfWeek % 7)]
      return (
        month?.has(date.month) === true &&
        ((either ? isDay || isWeekday : isDay && isWeekday) ?? false)
      )
    },
  }
}

function setOf(field: string, [min, max]: readonly [number, number]): Set<number> {
  const set = new Set<number>()
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/')
    const [from = min, to = range === '*' ? max : from] =
      range === '*' ? [] : range.split('-').map(Number)
    for (let n = from; n <= to; n += Number(step)) set.add(n)
  }
  return set
}

/** What the clock on the wall shows from minute to minute, and what it jumps over. */
export type Walls = readonly {
  at: number
  shown: Wall
  skipped: readonly Wall[]
  isFirst: boolean
}[]

export function wallsOf(zone: string, from: number, until: number): Walls {
  const seen = new Set<string>()
  let before = wall(from - MINUTE, zone)
  return Array.from({ length: (until - from) / MINUTE }, (_, i) => {
    const at = from + i * MINUTE
    const shown = wall(at, zone)
    const label = `${shown.date.toString()} ${shown.minute}`
    const isFirst = !seen.has(label)
    seen.add(label)
    const skipped = between(before, shown)
    before = shown
    return { at, shown, skipped, isFirst }
  })
}

/** The moments at which a rule fires while the wall shows this: every minute is looked at. */
export const minuteByMinute = (rule: Reckoned, walls: Walls): number[] =>
  walls
    .filter(({ shown, skipped, isFirst }) =>
      rule.isFixed
        ? (isFirst && isIn(rule, shown)) || skipped.some((one) => isIn(rule, one))
        : isIn(rule, shown),
    )
    .map(({ at }) => at)

/** The same where a zone does not turn its clock between the two. */
export function dayByDay(rule: Reckoned, zone: string, from: number, until: number): number[] {
  const fires: number[] = []
  const first = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone)
  const offset = first.offsetNanoseconds / 1e6
  const sorted = [...rule.minutes].toSorted((a, b) => a - b)
  for (let date = first.toPlainDate(); ; date = date.add({ days: 1 })) {
    const midnight = Date.UTC(date.year, date.month - 1, date.day) - offset
    if (midnight >= until) return fires
    if (rule.isDay(date))
      for (const minute of sorted) {
        const at = midnight + minute * MINUTE
        if (at >= from && at < until) fires.push(at)
      }
  }
}

type Wall = { date: Temporal.PlainDate; minute: number }

function wall(at: number, zone: string): Wall {
  const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
  return { date: zoned.toPlainDate(), minute: zoned.hour * 60 + zoned.minute }
}

const isIn = (rule: Reckoned, { date, minute }: Wall): boolean =>
  rule.minutes.has(minute) && rule.isDay(date)

function between(before: Wall, now: Wall): Wall[] {
  const days = before.date.until(now.date).days
  const jump = days * DAY + now.minute - before.minute
  return Array.from({ length: Math.max(0, jump - 1) }, (_, i) => {
    const minute = before.minute + 1 + i
    return { date: before.date.add({ days: Math.floor(minute / DAY) }), minute: minute % DAY }
  })
}
