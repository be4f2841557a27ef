import { newId } from '../base/id.ts'
import { readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import { ErrandError } from '../job/errors.ts'
import { putOn, stand } from '../job/firing.ts'
import type { NextCron } from '../job/rule.ts'
import {
  decodeSchedule,
  encodeSchedule,
  type Plan,
  type Planned,
  SCHEDULE,
  setOf,
} from '../job/schedule.ts'
import {
  type Change,
  ENTRIES_MAX,
  type Entry,
  type Intake,
  type Lookout,
  type Put,
} from '../store/contract.ts'

/** What somebody changed all the while is looked at again the next time. */
const TRIES_MAX = 5

type Store = Pick<Intake, 'put'> & Pick<Lookout, 'entries' | 'workers'>

/**
 * Keeps in the store what the code of an app names: put when a worker of it starts, gone once no living worker's
 * app names it. Of two releases that are up at once the later start counts, until no worker of that is left.
 */
export class Plans {
  /** By what all that is named here is known; every worker says it when it registers. */
  readonly set: string
  readonly #store: Store
  readonly #planned: Planned
  readonly #next: NextCron

  constructor(store: Store, planned: Planned, next: NextCron) {
    this.#store = store
    this.#planned = planned
    this.#next = next
    this.set = setOf(planned)
  }

  /** `isStart`: what is named here counts, whoever is up. @throws ErrandError SCHEDULES_FULL */
  async keep(isStart = false): Promise<void> {
    // One that fires at this very moment is put once it has.
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const puts = await this.#keep(isStart)
      const why = new Set(puts.map((put) => 'refused' in put && put.refused))
      if (why.has('full')) throw new ErrandError('SCHEDULES_FULL', { max: ENTRIES_MAX })
      if (!why.has('changed')) return
    }
  }

  async #keep(isStart: boolean): Promise<Put[]> {
    const { app, plans } = this.#planned
    const { entries, now } = await this.#store.entries(SCHEDULE)
    if (entries.length + plans.length === 0) return []
    const living = await this.#livingSets()
    const isOpen = (entry: Entry) => {
      const origin = decodeSchedule(entry.value)?.origin
      return origin === undefined || isStart || !living.has(origin.set)
    }
    const byName = new Map(entries.map((entry) => [entry.name, entry]))
    const changes: Change[] = plans.flatMap((plan) => {
      const entry = byName.get(plan.key)
      byName.delete(plan.key)
      return entry && !isOpen(entry) ? [] : (this.#change(plan, entry, now) ?? [])
    })
    for (const entry of byName.values()) {
      const origin = decodeSchedule(entry.value)?.origin
      if (origin?.app === app && !living.has(origin.set)) changes.push(removal(entry))
    }
    return changes.length > 0 ? this.#store.put(changes) : []
  }

  /** Nothing where it stands as it is named. */
  #change(plan: Plan, entry: Entry | undefined, now: Millis): Change | undefined {
    const before = entry && decodeSchedule(entry.value)
    const origin = { app: this.#planned.app, set: this.set }
    if (before?.print === plan.print && before.origin?.set === origin.set) return undefined
    const was = before && stand(before, entry.at)
    const { schedule, at } = putOn(was, plan, now, this.#next, origin)
    return {
      kind: SCHEDULE,
      name: plan.key,
      stamp: newId(),
      ...(entry && { expect: entry.stamp }),
      value: encodeSchedule(schedule),
      ...(at !== undefined && { at }),
    }
  }

  async #livingSets(): Promise<ReadonlySet<string>> {
    const workers = (await this.#store.workers()).filter(({ alive }) => alive)
    return new Set(
      workers.flatMap(({ info }) => readOwn<{ schedules?: string }>(info, {}).schedules ?? []),
    )
  }
}

const removal = ({ kind, name, stamp: expect }: Entry): Change => ({
  kind,
  name,
  stamp: newId(),
  expect,
})
