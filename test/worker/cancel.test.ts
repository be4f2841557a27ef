import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { held } from '../support/held.ts'
import { Hand } from '../support/hand.ts'
import { chore } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { callOn, divert } from '../support/rotation.ts'
import { eventually } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

const input = anything()
const PATIENT = { renewMs: 600_000, cancelGraceMs: 1 }

test('a worker hears of a cancel at once, long before it renews', async () => {
  const heard = Promise.withResolvers<AbortSignal>()
  const polite = defineJob({
    name: 'polite',
    input,
    run: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        heard.resolve(signal)
      }),
  })
  await using place = await Workplace.open(polite)
  await place.work(place.crew([polite.handler]), { renewMs: 600_000 })
  const { id } = await place.client.enqueue(polite, {})
  await heard.promise
  assert.equal(await place.client.cancel(id), 'asked')
  assert.equal((await place.ended(id)).state, 'cancelled')
})

test('a cancel that is heard of before its job has come is heard of again', async () => {
  const { job, began } = held('caught')
  await using place = await Workplace.open(job)
  const [claimed, through] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const renewed = Promise.withResolvers<void>()
  const { store } = place
  const late = async (handed: unknown) => {
    if (!JSON.stringify(handed).includes('caught')) return handed
    claimed.resolve()
    await through.promise
    return handed
  }
  place.store = divert(store, (name, args) => {
    const answer = callOn(store, name, args)
    if (name === 'renew') void Promise.resolve(answer).then(() => renewed.resolve())
    return name === 'exchange' ? Promise.resolve(answer).then(late) : answer
  })
  await place.work(place.crew([job.handler]), PATIENT)
  const { id } = await place.client.enqueue(job, {})
  await claimed.promise
  await place.client.cancel(id)
  await renewed.promise
  through.resolve()
  assert.equal((await place.ended(id)).state, 'cancelled')
  assert.equal((await began).aborted, true)
})

test('a handler that ignores its cancel is given up after the grace time, and its place is free again', async () => {
  const { job, began } = held('endless')
  const quick = defineJob({ name: 'quick', input, run: () => 1 })
  await using place = await Workplace.open(job, quick)
  await place.work(place.crew([job.handler, quick.handler], 1), PATIENT)
  const { id } = await place.client.enqueue(job, {})
  const signal = await began
  await place.client.cancel(id)
  assert.equal((await place.ended(id)).state, 'cancelled')
  assert.equal(signal.aborted, true)
  const after = await place.client.enqueue(quick, {})
  assert.equal((await place.ended(after.id)).state, 'completed')
})

test('a job whose cancel was asked while nobody could hear is not begun', async () => {
  let runs = 0
  const job = defineJob({ name: 'chore', input, run: () => ++runs })
  await using place = await Workplace.open(job)
  const dead = await Hand.register(place.store)
  const { id } = await place.client.enqueue(job, {})
  await dead.claimOne()
  await place.client.cancel(id)
  await place.store.retire(dead.id)
  await place.work(place.crew([job.handler]))
  assert.equal((await place.ended(id)).state, 'cancelled')
  assert.equal(runs, 0)
})

test('a handler that ignores its hard limit has run out of time, and its place is free again', async () => {
  const { job, began } = held('endless')
  const timed = {
    ...job,
    ...defineJob({ name: 'endless', input, attempts: 1, timeout: { hard: 5 } }),
  }
  await using place = await Workplace.open(timed)
  await place.work(place.crew([{ ...job.handler, definition: timed }], 1))
  const { id } = await place.client.enqueue(timed, {})
  await began
  const { state, reason, failures } = await place.ended(id)
  assert.deepEqual([state, reason, failures], ['failed', 'timeout', 1])
})

test('a cancelled job leaves no file', async () => {
  const wrote = Promise.withResolvers<{ id: string; fence: number }>()
  const writer = defineJob({
    name: 'writer',
    input,
    run: async (_, { artifact, id, fence }) => {
      await artifact('a.txt', 'x')
      wrote.resolve({ id, fence })
      return new Promise<never>(() => undefined)
    },
  })
  await using place = await Workplace.open(writer)
  await place.work(place.crew([writer.handler]), PATIENT)
  const { id } = await place.client.enqueue(writer, {})
  const { fence } = await wrote.promise
  await place.client.cancel(id)
  assert.deepEqual((await place.ended(id)).artifacts, [])
  await eventually(() =>
    place.files.read({ id, fence, file: 'a.txt' }).then(
      () => false,
      () => true,
    ),
  )
})

test('what was fetched ahead and is long is given back, so that another worker may run it', async () => {
  const { job, began } = held('endless')
  const quick = defineJob({ name: 'quick', input, run: () => 1 })
  await using place = await Workplace.open(job, quick)
  await place.work(place.crew([job.handler, quick.handler], 1), PATIENT)
  const warm = await place.client.enqueueMany(
    quick,
    Array.from({ length: 20 }, () => 0),
  )
  for (const { id } of warm) await place.ended(id)
  // The worker now fetches ahead; both jobs come in one trip, and only one can run.
  const jobs = [1, 2].map(() => chore({ job: 'endless' }))
  await place.store.insert(jobs)
  await began
  const [first, second] = [jobs[0]?.id ?? '', jobs[1]?.id ?? '']
  const released = await place.reaches(second, 'ready')
  assert.deepEqual([released.state, released.failures], ['ready', 0])
  await place.client.cancel(first)
})
