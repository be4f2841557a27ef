import { Bell } from '../base/bell.ts'
import { failpoint } from '../base/failpoint.ts'
import { newId } from '../base/id.ts'
import type { Millis } from '../base/time.ts'
import { hasCode } from '../job/errors.ts'
import { fire } from '../job/firing.ts'
import type { JobId } from '../job/job.ts'
import type { NextCron } from '../job/rule.ts'
import {
  decodeSchedule,
  encodeSchedule,
  idOf,
  jobOf,
  SCHEDULE,
  type Schedule,
} from '../job/schedule.ts'
import type { Keyring } from '../job/seal.ts'
import { isEnded } from '../job/state.ts'
import type { Change, Entry, Intake, Lookout } from '../store/contract.ts'

type Parts = {
  store: Pick<Intake, 'put'> & Pick<Lookout, 'entries' | 'find' | 'listen'>
  next: NextCron
  keys?: Keyring | undefined
  /** How long it rests at most without being woken. */
  everyMs: Millis
  onError: (error: unknown) => void
}

/** Every worker wakes for the same moment: who comes a little later finds it fired, and is spared the rest. */
const SPREAD_MS = 25
const RETRY_MS = 250

type Due = { entry: Entry; schedule: Schedule; at: Millis }

/**
 * Fires schedules that are due, whichever worker comes first: a schedule goes on to its next moment in the
 * step that stores its job, and only from where it was seen to stand.
 */
export class Timetable implements Disposable {
  readonly #parts: Parts
  readonly #bell = new Bell()
  readonly #hearing: Disposable
  #isOver = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#hearing = parts.store.listen('entry', () => this.#bell.ring())
    void this.#run()
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#hearing[Symbol.dispose]()
    this.#bell.ring()
  }

  async #run(): Promise<void> {
    while (!this.#isOver)
      await this.#bell.wait(
        await this.#round().catch((error: unknown) => {
          if (!this.#isOver) this.#parts.onError(error)
          return RETRY_MS
        }),
      )
  }

  /** Fires what is due. @returns how long to rest */
  async #round(): Promise<Millis> {
    const { store, everyMs } = this.#parts
    const { entries, now, nextAt = Infinity } = await store.entries(SCHEDULE, 'due')
    const changes = await this.#changes(entries.flatMap(toDue), now)
    if (changes.length > 0) {
      failpoint('schedule.firing')
      const puts = await store.put(changes)
      failpoint('schedule.fired')
      return puts.some((put) => 'refused' in put && put.refused === 'busy') ? RETRY_MS : 0
    }
    // What is due and was left is for others.
    const restMs = nextAt > now ? nextAt - now + Math.random() * SPREAD_MS : Infinity
    return Math.min(restMs, everyMs * (0.75 + Math.random() / 2))
  }

  async #changes(due: readonly Due[], now: Millis): Promise<Change[]> {
    const running = await this.#running(due)
    return due.flatMap((one) => {
      const { last } = one.schedule
      return this.#change(one, now, last !== undefined && running.has(last.job)) ?? []
    })
  }

  /** Nothing where it is for a worker that has its key, or cannot be fired at all: others are fired nevertheless. */
  #change({ entry, schedule, at }: Due, now: Millis, isRunning: boolean): Change | undefined {
    const { kind, name, stamp: expect } = entry
    const { next, keys, onError } = this.#parts
    try {
      const firing = fire(schedule, at, now, isRunning, next)
      const jobs = firing.moments.map((moment) => jobOf(name, schedule, idOf(name, moment), keys))
      const moment = firing.moments.at(-1)
      const last = moment === undefined ? undefined : { at: moment, job: idOf(name, moment) }
      return {
        kind,
        name,
        stamp: newId(),
        expect,
        value: encodeSchedule({ ...firing.schedule, ...(last && { last }) }),
        ...(firing.at !== undefined && { at: firing.at }),
        jobs,
      }
    } catch (error) {
      if (!hasCode(error, 'SEAL_KEYS_MISSING')) onError(error)
      return undefined
    }
  }

  /** Of the last runs that others must not overlap, those that have not ended. */
  async #running(due: readonly Due[]): Promise<ReadonlySet<JobId>> {
    const ids = due.flatMap(({ schedule: { overlap, last } }) =>
      overlap === 'skip' && last ? [last.job] : [],
    )
    if (ids.length === 0) return new Set()
    const jobs = await this.#parts.store.find(ids)
    return new Set(jobs.flatMap((job) => (job && !isEnded(job.state) ? [job.id] : [])))
  }
}

function toDue(entry: Entry): Due[] {
  const schedule = decodeSchedule(entry.value)
  const { at } = entry
  return schedule && !schedule.paused && at !== undefined ? [{ entry, schedule, at }] : []
}
