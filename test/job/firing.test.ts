import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextCron } from '../../src/cron.ts'
import { defineJob } from '../../src/job/define.ts'
import { fire, pause, putOn, resume, type Standing } from '../../src/job/firing.ts'
import { planSchedule, type Schedule, type ScheduleOptions } from '../../src/job/schedule.ts'
import { anything } from '../support/schema.ts'

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]
/** A moment at which rules of whole minutes fire. */
const AT = Date.UTC(2026, 10, 21, 2)
const definition = defineJob({ name: 'chore', input: anything() })

const plan = (options: ScheduleOptions, input: unknown = {}) =>
  planSchedule({ name: 's', definition, input, options }, { zone: 'UTC', next: nextCron })

async function standing(options: ScheduleOptions, over: Partial<Schedule> = {}): Promise<Standing> {
  const { schedule, at } = putOn(undefined, await plan(options), AT - 1, nextCron)
  return { schedule: { ...schedule, ...over }, ...(at !== undefined && { at }) }
}

/** What becomes of one due at AT when it is looked at so much later. */
async function late(options: ScheduleOptions, ms: number, isRunning = false) {
  const { schedule } = await standing(options)
  const { moments, at, schedule: after } = fire(schedule, AT, AT + ms, isRunning, nextCron)
  const { fired, missedCount, skippedCount } = after
  return {
    moments: moments.map((moment) => moment - AT),
    next: at === undefined ? undefined : at - AT,
    counts: [fired, missedCount, skippedCount],
  }
}

test('in time it fires for its moment and goes on to the next', async () => {
  for (const missed of ['skip', 'once', 'all'] as const) {
    const told = await late(
      { every: '1m', missed, ...(missed === 'all' && { missedWithin: '1h' }) },
      20,
    )
    assert.deepEqual(told, { moments: [0], next: MINUTE, counts: [1, 0, 0] })
  }
})

test('once: of all that passed it fires for the last, where that is not too old', async () => {
  assert.deepEqual(await late({ every: '1m' }, 3 * HOUR + 5), {
    moments: [3 * HOUR],
    next: 3 * HOUR + MINUTE,
    counts: [1, 180, 0],
  })
  assert.deepEqual(await late({ cron: '0 2 * * *' }, 3 * HOUR), {
    moments: [0],
    next: DAY,
    counts: [1, 0, 0],
  })
  assert.deepEqual(await late({ cron: '0 2 * * *', missedWithin: '1h' }, 3 * HOUR), {
    moments: [],
    next: DAY,
    counts: [0, 1, 0],
  })
})

test('skip: what is a minute old is left out', async () => {
  const options = { cron: '0 2 * * *', missed: 'skip' } as const
  assert.deepEqual((await late(options, 59 * SECOND)).moments, [0])
  assert.deepEqual(await late(options, 61 * SECOND), { moments: [], next: DAY, counts: [0, 1, 0] })
  assert.deepEqual((await late({ every: '1m', missed: 'skip' }, HOUR + 5)).moments, [HOUR])
})

test('all: each moment within the window is made up for, in order, a bounded number at a step', async () => {
  const options = { every: '1m', missed: 'all', missedWithin: '2m' } as const
  assert.deepEqual(await late(options, 5 * MINUTE + 1), {
    moments: [4, 5].map((n) => n * MINUTE),
    next: 6 * MINUTE,
    counts: [2, 4, 0],
  })
  const { moments, next, counts } = await late(
    { every: '1s', missed: 'all', missedWithin: '15m' },
    10 * MINUTE,
  )
  assert.deepEqual([moments.length, moments[0], next], [100, 0, 100 * SECOND])
  assert.deepEqual(counts, [100, 0, 0])
})

test('overlap skip: while the run before goes on nothing fires, and it is counted', async () => {
  const options = { every: '1m', overlap: 'skip' } as const
  assert.deepEqual(await late(options, 5, true), { moments: [], next: MINUTE, counts: [0, 0, 1] })
  assert.deepEqual(await late(options, 5, false), { moments: [0], next: MINUTE, counts: [1, 0, 0] })
  const all = { ...options, missed: 'all', missedWithin: '1h' } as const
  assert.deepEqual(await late(all, 2 * MINUTE), {
    moments: [0],
    next: 3 * MINUTE,
    counts: [1, 0, 2],
  })
  assert.deepEqual((await late({ every: '1m' }, 5, true)).moments, [0])
})

test('put again it keeps its moment while its rule stays, and what is known of it always', async () => {
  const first = await standing({ cron: '0 3 * * *' }, { fired: 7 })
  const overdue = { ...first, at: AT - DAY }
  const same = putOn(overdue, await plan({ cron: '0 3 * * *' }, { n: 2 }), AT, nextCron)
  assert.deepEqual([same.at, same.schedule.fired], [AT - DAY, 7])
  const other = putOn(overdue, await plan({ cron: '0 4 * * *' }), AT, nextCron)
  assert.deepEqual([other.at, other.schedule.fired], [AT + 2 * HOUR, 7])
})

test('paused it wants nothing, also when it is put again; resumed it goes on from now', async () => {
  const still = pause(await standing({ every: '1h' }))
  assert.deepEqual([still.at, still.schedule.paused], [undefined, true])
  const again = putOn(still, await plan({ every: '2h' }), AT, nextCron)
  assert.deepEqual([again.at, again.schedule.paused], [undefined, true])
  const back = resume(again, AT + 5, nextCron)
  assert.deepEqual([back.at, back.schedule.paused], [AT + 2 * HOUR, false])
})
