import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextCron } from '../../src/cron.ts'
import { encodeJson } from '../../src/base/json.ts'
import { newId } from '../../src/base/id.ts'
import { Schedules } from '../../src/client/schedules.ts'
import { type AppSchedule, defineSchedule, plannedBy } from '../../src/http/schedule.ts'
import { defineJob } from '../../src/job/define.ts'
import { decodeSchedule } from '../../src/job/schedule.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Plans } from '../../src/worker/plans.ts'
import { HandClock } from '../support/clock.ts'
import { LEASE_MS } from '../support/hand.ts'
import { callOn, divert } from '../support/rotation.ts'
import { anything } from '../support/schema.ts'

const chore = defineJob({ name: 'chore', input: anything() })
const named = (name: string, n = 1) =>
  defineSchedule({ name, job: chore, input: { n }, every: '1h' })

/** A store, and workers of apps that come and go. */
async function office() {
  const clock = new HandClock()
  const store = await SqliteStore.open(':memory:', { clock })
  const schedules = new Schedules(store, () => chore, { next: nextCron })
  return {
    clock,
    store,
    schedules,
    /** A worker starts, whose app names these. */
    start: async (own: readonly AppSchedule[], mount: `/${string}` = '/') => {
      const planned = await plannedBy({ mount, jobs: [chore], schedules: own })
      assert(planned)
      const plans = new Plans(store, planned, nextCron)
      const id = newId()
      const info = encodeJson({ schedules: plans.set }) ?? new Uint8Array()
      await store.register({ id, leaseMs: LEASE_MS, info })
      await plans.keep(true)
      return { keep: () => plans.keep(), end: () => store.retire(id) }
    },
    names: async () => (await schedules.list()).map(({ name }) => name),
    stamps: async () => (await schedules.list()).map(({ stamp }) => stamp),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

test('what code names is there once a worker of it has started, and a second start changes nothing', async () => {
  await using place = await office()
  await place.start([named('a'), named('b')])
  const [before] = [await place.stamps()]
  assert.deepEqual(await place.names(), ['a', 'b'])
  const second = await place.start([named('a'), named('b')])
  await second.keep()
  assert.deepEqual(await place.stamps(), before)
  assert((await place.schedules.list()).every(({ fromCode }) => fromCode))
})

test('what code names no more goes with the last worker that named it', async () => {
  await using place = await office()
  const old = await place.start([named('a'), named('b')])
  const fresh = await place.start([named('b'), named('c')])
  await fresh.keep()
  assert.deepEqual(await place.names(), ['a', 'b', 'c'])
  await old.end()
  await fresh.keep()
  assert.deepEqual(await place.names(), ['b', 'c'])
})

test('of two releases the later start counts, until none of its workers is left', async () => {
  await using place = await office()
  const input = async () =>
    (await place.store.entries('schedule')).entries.map(({ value }) => value)
  const fresh = await place.start([named('a', 2)])
  const late = await place.start([named('a', 1)])
  const before = await input()
  await fresh.keep()
  assert.deepEqual(await input(), before)
  await late.end()
  await fresh.keep()
  assert.notDeepEqual(await input(), before)
})

test('other apps, and what was put from outside, are left alone; who is paused stays so', async () => {
  await using place = await office()
  const other = await place.start([named('theirs')], '/other')
  await other.end()
  await place.schedules.put('outside', chore, {}, { every: '1h' })
  await place.start([named('a')])
  await place.schedules.pause('a')
  const worker = await place.start([named('a', 2)])
  await worker.keep()
  assert.deepEqual(await place.names(), ['a', 'outside', 'theirs'])
  assert.equal((await place.schedules.get('a')).paused, true)
})

test('code takes over what bears its name, and from then on it is changed there only', async () => {
  await using place = await office()
  await place.schedules.put('a', chore, {}, { every: '2h' })
  await place.start([named('a')])
  assert.equal((await place.schedules.get('a')).everyMs, 3_600_000)
  await assert.rejects(place.schedules.remove('a'), /defined in the code/)
  await assert.rejects(place.schedules.put('a', chore, {}, { every: '2h' }), /defined in the code/)
})

test('a start counts although a schedule of it fires at that very moment', async () => {
  await using place = await office()
  await place.start([named('a', 1)])
  let isFirst = true
  const store = divert(place.store, async (name, args) => {
    const reply: unknown = await callOn(place.store, name, args)
    // Between the look and the change of the worker that starts.
    if (name === 'entries' && isFirst)
      await place.schedules.run('a').finally(() => (isFirst = false))
    return reply
  })
  const planned = await plannedBy({ jobs: [chore], schedules: [named('a', 2)] })
  assert(planned)
  await new Plans(store, planned, nextCron).keep(true)
  const { entries } = await place.store.entries('schedule')
  const [schedule] = entries.map(({ value }) => decodeSchedule(value))
  assert.deepEqual([schedule?.print, schedule?.fired], [planned.plans[0]?.print, 1])
})
