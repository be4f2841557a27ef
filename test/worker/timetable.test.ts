import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { Schedules } from '../../src/client/schedules.ts'
import { nextCron } from '../../src/cron.ts'
import { defineJob } from '../../src/job/define.ts'
import type { Millis } from '../../src/base/time.ts'
import { decodeSchedule, encodeSchedule, type ScheduleOptions } from '../../src/job/schedule.ts'
import { Keyring } from '../../src/job/seal.ts'
import { unseal } from '../../src/job/sealing.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Timetable } from '../../src/worker/timetable.ts'
import { HandClock } from '../support/clock.ts'
import { counting } from '../support/counting.ts'
import { Cuttable } from '../support/cuttable.ts'
import { Hand } from '../support/hand.ts'
import { completed, SECOND } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { until } from '../support/until.ts'

const chore = defineJob({ name: 'chore', input: anything() })
const secret = defineJob({ name: 'secret', input: anything(), data: 'sealed' })
const definitions = new Map([chore, secret].map((job) => [job.name, job]))
const keys = Keyring.read(`a:${Buffer.alloc(32, 1).toString('base64')}`)
/** Quick to look again, so that a clock moved by hand is soon noticed. */
const EVERY_MS = 5

/** A store under a hand clock, schedules in it, and timetables of as many workers as a test starts. */
async function office() {
  const clock = new HandClock()
  const store = await SqliteStore.open(':memory:', { clock })
  const schedules = new Schedules(
    store,
    (job) => (typeof job === 'string' && definitions.get(job)) || chore,
    {
      next: nextCron,
      keys,
    },
  )
  const errors: unknown[] = []
  const tables: Timetable[] = []
  const start = (on: Store = store, { hasKeys = true, everyMs = EVERY_MS } = {}) =>
    tables.push(
      new Timetable({
        store: on,
        next: nextCron,
        keys: hasKeys ? keys : undefined,
        everyMs,
        onError: (error) => errors.push(error),
      }),
    )
  const put = (options: ScheduleOptions, job = 'chore') =>
    schedules.put('s', job, { n: 1 }, options)
  /** The jobs that were fired, once there are so many. */
  const fired = (count: number) =>
    until(store, async () => {
      const { jobs } = await store.list({ tag: 'schedule:s' }, 100)
      return jobs.length >= count && jobs
    })
  const stood = (nextAt: Millis) =>
    until(store, async () => {
      const view = await schedules.get('s')
      return view.nextAt === new Date(nextAt).toISOString() && view
    })
  return {
    clock,
    store,
    schedules,
    errors,
    start,
    put,
    fired,
    stood,
    async [Symbol.asyncDispose]() {
      for (const table of tables) table[Symbol.dispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

test('of many workers one fires each moment, and no moment is left out', async () => {
  await using place = await office()
  await place.put({ every: '1s', missed: 'all', missedWithin: '10m' })
  for (let n = 0; n < 5; n++) place.start()
  const began = place.clock.now()
  for (let n = 1; n <= 10; n++) {
    place.clock.advance(SECOND)
    await place.fired(n)
  }
  const { fired } = await place.stood(began + 11 * SECOND)
  assert.equal(fired, 10)
  assert.equal((await place.fired(10)).length, 10)
  assert.deepEqual(place.errors, [])
})

test('a firing whose reply was lost is not fired again', async () => {
  await using place = await office()
  const line = new Cuttable(place.store)
  await place.put({ every: '1m' })
  const began = place.clock.now()
  place.clock.advance(60 * SECOND)
  line.cut('put', 'after')
  place.start(line.store)
  const { fired } = await place.stood(began + 120 * SECOND)
  assert.equal(fired, 1)
  assert.equal((await place.fired(1)).length, 1)
  assert.equal(place.errors.length, 1)
})

test('a run that goes on is not overlapped, and a run that has ended is followed', async () => {
  await using place = await office()
  const hand = await Hand.register(place.store)
  await place.put({ every: '1m', overlap: 'skip' })
  const began = place.clock.now()
  place.start()
  place.clock.advance(60 * SECOND)
  await place.fired(1)
  place.clock.advance(60 * SECOND)
  assert.equal((await place.stood(began + 180 * SECOND)).skippedCount, 1)
  await assert.rejects(place.schedules.run('s'), /has not ended/)
  await hand.settle(await hand.claimOne(), completed())
  place.clock.advance(60 * SECOND)
  assert.equal((await place.fired(2)).length, 2)
})

test('one put while workers rest is fired at its moment', async () => {
  await using place = await office()
  place.start(place.store, { everyMs: 3_600_000 })
  await place.put({ every: '1h' })
  place.clock.advance(3_600_000)
  // Whatever is put wakes them.
  await place.schedules.put('other', 'chore', {}, { every: '1d' })
  assert.equal((await place.fired(1)).length, 1)
})

test('a worker without keys leaves a private schedule to one that has them', async () => {
  await using place = await office()
  await place.put({ every: '1m' }, 'secret')
  place.clock.advance(60 * SECOND)
  const { store, calls } = counting(place.store)
  place.start(store, { hasKeys: false })
  await until(place.store, async () => (calls.get('entries') ?? 0) > 3)
  assert.deepEqual([calls.get('put'), place.errors], [undefined, []])
  place.start()
  const [job] = await place.fired(1)
  assert(job)
  assert.equal(Buffer.from(unseal(job.input, job, 'input', keys)).toString(), '{"n":1}')
})

test('paused it does not fire; resumed it goes on from then, run by hand it is fired once', async () => {
  await using place = await office()
  await place.put({ every: '1m' })
  await place.schedules.pause('s')
  place.start()
  place.clock.advance(600 * SECOND)
  const once = await place.schedules.run('s', { once: 'key' })
  assert.deepEqual(await place.schedules.run('s', { once: 'key' }), { ...once, joined: true })
  const { nextAt } = await place.schedules.resume('s')
  assert.equal(nextAt, new Date(place.clock.now() + 60 * SECOND).toISOString())
  place.clock.advance(60 * SECOND)
  assert.equal((await place.fired(2)).length, 2)
})

test('one that cannot be fired is told of, and others are fired', async () => {
  await using place = await office()
  await place.put({ every: '1m' })
  const { entries } = await place.store.entries('schedule')
  const [entry] = entries
  assert(entry)
  const broken = decodeSchedule(entry.value)
  assert(broken)
  const value = encodeSchedule({ ...broken, rule: { cron: 'no rule', zone: 'UTC' } })
  await place.store.put([{ ...entry, name: 'broken', stamp: newId(), value }])
  place.clock.advance(60 * SECOND)
  place.start()
  assert.equal((await place.fired(1)).length, 1)
  await until(place.store, async () => place.errors.length > 0)
})
