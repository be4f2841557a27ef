import type { Millis } from '../base/time.ts'
import type { Standing } from '../job/firing.ts'
import { type Missed, nameOf, type Overlap } from '../job/schedule.ts'
import { iso } from '../job/view.ts'

/** A schedule as people see it. */
export type ScheduleView = {
  name: string
  tenant?: string
  job: string
  queue: string
  priority: number
  tags: readonly string[]
  cron?: string
  zone?: string
  everyMs?: Millis
  start?: string
  missed: Missed
  missedWithinMs: Millis
  overlap: Overlap
  /** It is defined in the code of an app. */
  fromCode: boolean
  paused: boolean
  nextAt?: string
  last?: { at: string; job: string }
  /** How often it fired; moments nobody fired, as far as they were counted; those left out while a run went on. */
  fired: number
  missedCount: number
  skippedCount: number
  /** Another after each change. */
  stamp: string
}

export function toScheduleView(
  key: string,
  stamp: string,
  { schedule, at }: Standing,
): ScheduleView {
  const { rule, job, last, origin, withinMs, ...rest } = schedule
  const { missed, overlap, paused, fired, missedCount, skippedCount } = rest
  return {
    name: nameOf(key),
    ...(job.tenant !== '' && { tenant: job.tenant }),
    job: job.job,
    queue: job.queue,
    priority: job.priority,
    tags: job.tags ?? [],
    ...('cron' in rule
      ? { cron: rule.cron, zone: rule.zone }
      : { everyMs: rule.everyMs, ...(rule.startAt !== 0 && { start: iso(rule.startAt) }) }),
    missed,
    missedWithinMs: withinMs,
    overlap,
    fromCode: origin !== undefined,
    paused,
    ...(at !== undefined && { nextAt: iso(at) }),
    ...(last && { last: { at: iso(last.at), job: last.job } }),
    fired,
    missedCount,
    skippedCount,
    stamp,
  }
}
