import { derivedId, newId } from '../base/id.ts'
import type { Millis } from '../base/time.ts'
import type { Act } from '../job/audit.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import { pause, putOn, resume, stand, type Standing } from '../job/firing.ts'
import type { Job, JobId } from '../job/job.ts'
import { readCount } from '../job/options.ts'
import { momentsOf, type NextCron } from '../job/rule.ts'
import {
  decodeSchedule,
  encodeSchedule,
  jobOf,
  nameOf,
  planSchedule,
  SCHEDULE,
  type ScheduleOptions,
} from '../job/schedule.ts'
import type { Keyring } from '../job/seal.ts'
import { isEnded } from '../job/state.ts'
import { iso } from '../job/view.ts'
import {
  type Change,
  ENTRIES_MAX,
  type Entry,
  type Intake,
  type Lookout,
  type Put,
} from '../store/contract.ts'
import { AuditLog, type OnBehalf } from './audit.ts'
import { type ScheduleView, toScheduleView } from './schedule-view.ts'

export type ScheduleStore = Pick<Intake, 'put' | 'audit'> &
  Pick<Lookout, 'entries' | 'find' | 'audits'>
export type ScheduleMeans = {
  next: NextCron
  keys?: Keyring | undefined
  zone?: string | undefined
}

/** Others may change the same schedule at the same moment, but not for ever. */
const TRIES_MAX = 20
const PREVIEW_MAX = 100

type Found = { standing: Standing; stamp: string; now: Millis }
type Acting = { act: Act } & OnBehalf
type Next = { standing?: Standing; jobs?: Change['jobs'] }

/**
 * Schedules as people and programs see to them. Each is named by its key: its name, and before it the tenant that
 * it belongs to, if any, and a slash.
 */
export class Schedules {
  readonly #store: ScheduleStore
  readonly #definitionOf: (job: Definition | string) => Definition
  readonly #means: ScheduleMeans
  readonly #log: AuditLog

  constructor(
    store: ScheduleStore,
    definitionOf: (job: Definition | string) => Definition,
    means: ScheduleMeans,
  ) {
    this.#store = store
    this.#definitionOf = definitionOf
    this.#means = means
    this.#log = new AuditLog(store, means.keys)
  }

  /** All of them, or those of a tenant. */
  async list(tenant?: string): Promise<ScheduleView[]> {
    const { entries } = await this.#store.entries(SCHEDULE)
    return entries.flatMap((entry) => {
      const standing = readEntry(entry)
      const isTheirs = tenant === undefined || standing?.schedule.job.tenant === tenant
      return standing && isTheirs ? [toScheduleView(entry.name, entry.stamp, standing)] : []
    })
  }

  /** @throws ErrandError SCHEDULE_NOT_FOUND */
  async get(key: string): Promise<ScheduleView> {
    const { standing, stamp } = await this.#found(key)
    return toScheduleView(key, stamp, standing)
  }

  /**
   * Puts a schedule in the place of the one of this name, or where there is none. The terms of its job are
   * those of its definition as they stand now.
   * @throws ErrandError as `enqueue`, INVALID_CRON, CRON_NEVER_FIRES, UNKNOWN_TIME_ZONE, SCHEDULE_FROM_CODE,
   * SCHEDULES_FULL, SCHEDULE_TAKEN where it was to be new
   */
  async put(
    name: string,
    job: Definition | string,
    input: unknown,
    options: ScheduleOptions,
    { isNew = false, by }: { isNew?: boolean } & OnBehalf = {},
  ): Promise<{ view: ScheduleView; created: boolean }> {
    const definition = this.#definitionOf(job)
    const { next, keys, zone = 'UTC' } = this.#means
    const plan = await planSchedule({ name, definition, input, options }, { next, keys, zone })
    let created = false
    const act = { act: 'put', by } as const
    const view = await this.#change(plan.key, act, (found, now) => {
      if (found && isNew) throw new ErrandError('SCHEDULE_TAKEN', { name })
      refuseFromCode(found, name)
      created = found === undefined
      return { standing: putOn(found?.standing, plan, now, next) }
    })
    return { view: view ?? (await this.get(plan.key)), created }
  }

  /** @throws ErrandError SCHEDULE_NOT_FOUND, SCHEDULE_FROM_CODE */
  async remove(key: string, { by }: OnBehalf = {}): Promise<void> {
    await this.#change(key, { act: 'remove', by }, (found) => {
      refuseFromCode(needed(found, key), nameOf(key))
      return {}
    })
  }

  /** It fires no more until it is resumed. @throws ErrandError SCHEDULE_NOT_FOUND */
  pause(key: string, { by }: OnBehalf = {}): Promise<ScheduleView> {
    return this.#revise(key, { act: 'pause', by }, pause)
  }

  /** It fires again from now on; what passed meanwhile is not made up for. @throws ErrandError SCHEDULE_NOT_FOUND */
  resume(key: string, { by }: OnBehalf = {}): Promise<ScheduleView> {
    const { next } = this.#means
    return this.#revise(key, { act: 'resume', by }, (standing, now) => resume(standing, now, next))
  }

  /**
   * Fires it now, paused or not; its next moment stays. `once`: under the same key of the caller's it is one job.
   * @throws ErrandError SCHEDULE_NOT_FOUND, SCHEDULE_UNFINISHED, SEAL_KEYS_MISSING, SEAL_UNKNOWN
   */
  async run(
    key: string,
    { once, by }: { once?: string } & OnBehalf = {},
  ): Promise<{ id: JobId; joined: boolean }> {
    const id = once === undefined ? newId() : derivedId('run', key, once)
    let put: Put | undefined
    await this.#change(
      key,
      { act: 'run', by },
      async (found, now) => {
        const { schedule, at } = needed(found, key).standing
        if (schedule.last?.job === id) return undefined
        if (schedule.overlap === 'skip') await this.#refuseUnfinished(schedule.last?.job, key)
        const job = jobOf(key, schedule, id, this.#means.keys)
        const after = { ...schedule, fired: schedule.fired + 1, last: { at: now, job: id } }
        return { standing: stand(after, at), jobs: [job] }
      },
      (answer) => (put = answer),
    )
    const [inserted = { id, joined: true }] = put && 'jobs' in put ? put.jobs : []
    if (!('refused' in inserted)) return inserted
    if (inserted.refused === 'STORE_BUSY') throw new ErrandError('STORE_BUSY', { waitedMs: 0 })
    if (inserted.refused === 'LIMIT_REACHED')
      throw new ErrandError('LIMIT_REACHED', { key: inserted.key })
    throw new ErrandError(inserted.refused, { id: inserted.id })
  }

  /** When it fires next, were it not paused. @throws ErrandError SCHEDULE_NOT_FOUND, INVALID_OPTION */
  async preview(key: string, count = 5): Promise<string[]> {
    readCount('count', count, { min: 1, max: PREVIEW_MAX })
    const { standing, now } = await this.#found(key)
    return momentsOf(standing.schedule.rule, now, count, this.#means.next).map(iso)
  }

  async #refuseUnfinished(id: JobId | undefined, key: string): Promise<void> {
    const [job]: (Job | undefined)[] = id === undefined ? [] : await this.#store.find([id])
    if (job && !isEnded(job.state))
      throw new ErrandError('SCHEDULE_UNFINISHED', { name: nameOf(key) })
  }

  async #revise(
    key: string,
    act: Acting & { act: 'pause' | 'resume' },
    revise: (standing: Standing, now: Millis) => Standing,
  ): Promise<ScheduleView> {
    const view = await this.#change(key, act, (found, now) => {
      const { standing } = needed(found, key)
      return standing.schedule.paused === (act.act === 'pause')
        ? undefined
        : { standing: revise(standing, now) }
    })
    return view ?? this.get(key)
  }

  async #found(key: string): Promise<Found> {
    return needed((await this.#look(key)).found, key)
  }

  async #look(key: string): Promise<{ found: Found | undefined; now: Millis }> {
    const { entries, now } = await this.#store.entries(SCHEDULE, { name: key })
    const [entry] = entries
    const standing = entry && readEntry(entry)
    return { found: standing && { standing, stamp: entry.stamp, now }, now }
  }

  /** Decides on what is there until nobody came between; nothing where nothing is to be changed. */
  async #change(
    key: string,
    { act, by }: Acting,
    decide: (found: Found | undefined, now: Millis) => Next | undefined | Promise<Next | undefined>,
    tell: (put: Put) => void = () => undefined,
  ): Promise<ScheduleView | undefined> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { found, now } = await this.#look(key)
      const next = await decide(found, now)
      if (next === undefined) return undefined
      if (tries === 0) {
        const jobs = (next.jobs ?? []).map(({ id }) => id)
        await this.#log.write({ act, jobs, schedule: key }, by)
      }
      const stamp = newId()
      const change = toChange(key, stamp, found?.stamp, next)
      const [put = { refused: 'changed' }] = await this.#store.put([change])
      if ('jobs' in put) {
        tell(put)
        return next.standing && toScheduleView(key, stamp, next.standing)
      }
      if (put.refused === 'full') throw new ErrandError('SCHEDULES_FULL', { max: ENTRIES_MAX })
    }
    throw new ErrandError('STORE_BUSY', { waitedMs: 0 })
  }
}

/** A schedule as it lies in the store; nothing where its bytes say nothing to us. */
function readEntry({ value, at }: Pick<Entry, 'value' | 'at'>): Standing | undefined {
  const schedule = decodeSchedule(value)
  return schedule && stand(schedule, at)
}

const toChange = (
  key: string,
  stamp: string,
  expect: string | undefined,
  { standing, jobs }: Next,
): Change => ({
  kind: SCHEDULE,
  name: key,
  stamp,
  ...(expect !== undefined && { expect }),
  ...(standing && { value: encodeSchedule(standing.schedule) }),
  ...(standing?.at !== undefined && { at: standing.at }),
  ...(jobs && { jobs }),
})

function needed(found: Found | undefined, key: string): Found {
  if (found === undefined) throw new ErrandError('SCHEDULE_NOT_FOUND', { name: nameOf(key) })
  return found
}

function refuseFromCode(found: Found | undefined, name: string): void {
  if (found?.standing.schedule.origin) throw new ErrandError('SCHEDULE_FROM_CODE', { name })
}
