import { isDeepStrictEqual } from 'node:util'
import type { Millis } from '../base/time.ts'
import { lastOf, momentsOf, nextOf, type NextCron } from './rule.ts'
import { CAUGHT_UP_MAX, type Origin, type Plan, type Schedule } from './schedule.ts'

/** A schedule, and when it wants attention; nothing when it is paused, or never fires again. */
export type Standing = { schedule: Schedule; at?: Millis }

/** What becomes of a schedule whose moment has come: for which moments it fires now, and how it stands then. */
export type Firing = Standing & { moments: readonly Millis[] }

/** So many moments are made up for in one step. */
const STEP_MAX = 100

/** How a schedule stands once it was put: what is known of it stays, and so does its moment where the rule does. */
export function putOn(
  before: Standing | undefined,
  { terms, print }: Plan,
  now: Millis,
  next: NextCron,
  origin?: Origin,
): Standing {
  const { paused, fired, missedCount, skippedCount, last } = before?.schedule ?? FRESH
  const schedule: Schedule = {
    ...terms,
    print,
    ...(origin && { origin }),
    paused,
    fired,
    missedCount,
    skippedCount,
    ...(last && { last }),
  }
  const isSame = isDeepStrictEqual(before?.schedule.rule, terms.rule)
  const at = paused ? undefined : isSame ? before?.at : nextOf(terms.rule, now, next)
  return stand(schedule, at)
}

const FRESH: Pick<Schedule, 'paused' | 'fired' | 'missedCount' | 'skippedCount' | 'last'> = {
  paused: false,
  fired: 0,
  missedCount: 0,
  skippedCount: 0,
}

export const stand = (schedule: Schedule, at: Millis | undefined): Standing => ({
  schedule,
  ...(at !== undefined && { at }),
})

export const pause = ({ schedule }: Standing): Standing => ({
  schedule: { ...schedule, paused: true },
})

/** What passed meanwhile is not made up for. */
export const resume = ({ schedule }: Standing, now: Millis, next: NextCron): Standing =>
  stand({ ...schedule, paused: false }, nextOf(schedule.rule, now, next))

/** What becomes of one whose moment came at `at`. `isRunning`: its run before has not ended. */
export function fire(
  schedule: Schedule,
  at: Millis,
  now: Millis,
  isRunning: boolean,
  next: NextCron,
): Firing {
  const { moments, missed, nextAt } = due(schedule, at, now, next)
  const skips = schedule.overlap === 'skip'
  const fired = !skips ? moments : isRunning ? [] : moments.slice(0, 1)
  const after: Schedule = {
    ...schedule,
    fired: schedule.fired + fired.length,
    missedCount: schedule.missedCount + missed,
    skippedCount: schedule.skippedCount + moments.length - fired.length,
  }
  return { ...stand(after, nextAt), moments: fired }
}

type Due = { moments: Millis[]; missed: number; nextAt: Millis | undefined }

function due({ rule, missed, withinMs }: Schedule, at: Millis, now: Millis, next: NextCron): Due {
  const follows = nextOf(rule, at, next)
  const isFresh = at >= now - withinMs
  // In time, which is how it nearly always is.
  if (isFresh && (follows === undefined || follows > now))
    return { moments: [at], missed: 0, nextAt: follows }
  const since = Math.max(at, now - withinMs) - 1
  const passed = momentsOf(rule, at - 1, CAUGHT_UP_MAX, next, now)
  if (missed === 'all') {
    const found = momentsOf(rule, since, STEP_MAX + 1, next)
    const moments = found.slice(0, STEP_MAX).filter((moment) => moment <= now)
    const lost = passed.filter((moment) => moment <= since).length
    return { moments, missed: lost, nextAt: found[moments.length] }
  }
  const last = lastOf(rule, since, now, next)
  const moments = last === undefined ? [] : [last]
  return { moments, missed: passed.length - moments.length, nextAt: nextOf(rule, now, next) }
}
