import { msOf, type Span } from './span.ts'

/** From the first moment on, up to but without the last one; both ISO 8601 in UTC. */
export type Window = { from: string; to: string }

const DAY_MS = 86_400_000

/**
 * The last whole days before `now`: until midnight in the zone, so whoever asks on the same day asks for the same report.
 * With another step than a day, until the present step of that length began, counted from 1970 in UTC.
 */
export function windowOf(
  days: number,
  { step, zone }: { step: Span; zone: string },
  now: number = Date.now(),
): Window {
  if (step !== '1d') {
    const to = Math.floor(now / msOf(step)) * msOf(step)
    return { from: iso(to - days * DAY_MS), to: iso(to) }
  }
  const midnight = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).startOfDay()
  const first = midnight.subtract({ days }).startOfDay()
  return { from: iso(first.epochMilliseconds), to: iso(midnight.epochMilliseconds) }
}

export const iso = (ms: number): string => new Date(ms).toISOString()
