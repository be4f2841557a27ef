import { nextCron } from '../cron.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError, hasCode } from '../job/errors.ts'
import { readZone } from '../job/rule.ts'
import {
  checkSchedule,
  keyOf,
  type Planned,
  planSchedule,
  type ScheduleOptions,
} from '../job/schedule.ts'
import type { Given, Schema } from '../job/schema.ts'
import type { Keyring } from '../job/seal.ts'
import type { App } from './app.ts'

/** A schedule as code names it. */
export type AppSchedule = {
  readonly name: string
  readonly definition: Definition
  readonly input: unknown
  readonly options: ScheduleOptions
}

export type ScheduleSpec<In extends Schema> = ScheduleOptions & {
  /** Its own among those of the tenant; at most 90 characters. */
  name: string
  job: Definition<In>
  input: Given<In>
}

/**
 * Says when a job is to be enqueued, again and again. It is put into the store when a worker of its app starts,
 * and goes once no living worker's app names it.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION, INVALID_CRON, CRON_NEVER_FIRES, UNKNOWN_TIME_ZONE, INVALID_INPUT,
 * UNSTORABLE_INPUT, INPUT_TOO_LARGE
 */
export function defineSchedule<In extends Schema>(spec: ScheduleSpec<In>): AppSchedule {
  const { name, job: definition, input, ...options } = spec
  const schedule = { name, definition, input, options }
  const checked = checkSchedule(schedule, { zone: USUAL_ZONE, next: nextCron })
  // One that takes its time is heard when the app starts.
  if (checked instanceof Promise) checked.catch(() => undefined)
  return schedule
}

const USUAL_ZONE = 'UTC'

/** @throws ErrandError UNKNOWN_JOB, UNKNOWN_TIME_ZONE, INVALID_OPTION */
export function checkSchedules({ jobs, schedules = [], timeZone }: App): void {
  if (timeZone !== undefined) readZone(timeZone)
  const names = new Set<string>()
  for (const { name, definition, options } of schedules) {
    if (!jobs.some((job) => job.name === definition.name))
      throw new ErrandError('UNKNOWN_JOB', { job: definition.name, hint: '; add it to jobs' })
    const key = keyOf(name, options.tenant)
    if (names.has(key))
      throw new ErrandError('INVALID_OPTION', {
        option: 'schedules',
        problem: `name ${name} twice`,
      })
    names.add(key)
  }
}

/** What an app's code names, as it is kept; nothing where the keys of a private one are missing. */
export async function plannedBy(app: App, keys?: Keyring): Promise<Planned | undefined> {
  const { schedules = [], timeZone: zone = USUAL_ZONE, mount = '/' } = app
  try {
    const means = { zone, next: nextCron, keys }
    const plans = await Promise.all(schedules.map((schedule) => planSchedule(schedule, means)))
    return { app: mount, plans }
  } catch (error) {
    // Left to workers that have them.
    if (hasCode(error, 'SEAL_KEYS_MISSING')) return undefined
    throw error
  }
}
