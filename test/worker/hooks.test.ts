import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../src/job/control.ts'
import { defineJob, type Definition, type WholeJob } from '../../src/job/define.ts'
import type { Ended } from '../../src/job/hooks.ts'
import { hasCode } from '../../src/job/errors.ts'
import { anything } from '../support/schema.ts'
import { SECOND } from '../support/jobs.ts'
import { until } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

const input = anything()

/** Hooks that remember what they were told. */
function listeners() {
  const all: Ended[] = []
  const hook = (name: string): WholeJob =>
    defineJob({ name, input: anything<Ended>(), run: (told) => void all.push(told) })
  return { told: all, onSuccess: hook('well'), onFailure: hook('ill') }
}

/** Runs one job with its hooks to the end, and what the hooks were told. */
async function play(
  run: () => unknown,
  options: object,
  act: (place: Workplace, job: Definition) => Promise<string>,
): Promise<Ended[]> {
  const { told, onSuccess, onFailure } = listeners()
  const job: WholeJob = defineJob({ name: 'job', input, run, onSuccess, onFailure, ...options })
  await using place = await Workplace.open(job, onSuccess, onFailure)
  const id = await act(place, job)
  await place.work(place.crew([job.handler, onSuccess.handler, onFailure.handler]))
  await until(place.store, async () => told.length > 0)
  assert.equal(told[0]?.id, id)
  assert.deepEqual(await place.store.verify(), [])
  return told
}

const enqueue = async (place: Workplace, job: Definition) =>
  (await place.client.enqueue(job, { given: 1 })).id

test('a job that completed is followed by its hook, which is told what came of it', async () => {
  const [ended] = await play(() => 'made', {}, enqueue)
  assert.deepEqual(
    [ended?.job, ended?.state, ended?.input, ended?.result, ended?.error],
    ['job', 'completed', { given: 1 }, 'made', undefined],
  )
})

test('a job that failed is followed by its hook, which is told why', async () => {
  const broken = () => {
    throw new FatalError('broken')
  }
  const [ended] = await play(broken, {}, enqueue)
  assert.deepEqual(
    [ended?.state, ended?.reason, ended?.error, ended?.result],
    ['failed', 'error', { name: 'FatalError', message: 'broken' }, undefined],
  )
})

test('so is one that ran out of time, expired, or was cancelled before it began', async () => {
  const late = () => new Promise<never>(() => undefined)
  const [timedOut] = await play(late, { attempts: 1, timeout: { hard: 1 } }, enqueue)
  assert.deepEqual([timedOut?.state, timedOut?.reason], ['failed', 'timeout'])

  const [expired] = await play(late, {}, async (place, job) => {
    const { id } = await place.client.enqueue(job, {}, { expiresIn: '1s' })
    place.clock.advance(2 * SECOND)
    return id
  })
  assert.deepEqual([expired?.state, expired?.reason], ['failed', 'expired'])

  const [cancelled] = await play(late, {}, async (place, job) => {
    const { id } = await place.client.enqueue(job, {})
    await place.client.cancel(id)
    return id
  })
  assert.deepEqual([cancelled?.state, cancelled?.reason], ['cancelled', undefined])
})

test('a job that is tried again has not ended: no hook yet', async () => {
  let runs = 0
  const flaky = () => {
    if (++runs === 1) throw new Error('once')
    return 'made'
  }
  const told = await play(flaky, { backoff: 0 }, enqueue)
  assert.deepEqual(
    told.map(({ state }) => state),
    ['completed'],
  )
})

test('a hook may have a hook, and keeps its own queue and policy', async () => {
  const last = defineJob({ name: 'last', input, queue: 'late', attempts: 7 })
  const first = defineJob({ name: 'first', input, onSuccess: last, run: () => 1 })
  const job = defineJob({ name: 'job', input, onSuccess: first, run: () => 1 })
  await using place = await Workplace.open(job, first, last)
  await place.work(place.crew([job.handler, first.handler]))
  await place.client.enqueue(job, {})
  const view = await until(place.store, async () => {
    const { jobs } = await place.watch.list({ job: 'last' }, 10)
    return jobs[0]
  })
  assert.deepEqual([view.queue, view.attemptsMax], ['late', 7])
})

test('a unique job cannot be a hook', () => {
  const unique = defineJob({ name: 'unique', input, unique: { by: () => 'x' } })
  assert.throws(
    () => defineJob({ name: 'job', input, onFailure: unique }),
    (error) => hasCode(error, 'INVALID_OPTION'),
  )
})
