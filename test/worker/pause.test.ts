import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pauses } from '../../src/client/pauses.ts'
import { defineJob } from '../../src/job/define.ts'
import { StoppedBatches } from '../../src/worker/stopped.ts'
import { held } from '../support/held.ts'
import { only, seen } from '../support/hand.ts'
import { counting, settled } from '../support/counting.ts'
import { anything } from '../support/schema.ts'
import { Workplace } from '../support/workplace.ts'

const input = anything()
/** Nobody looks by himself: what is found was rung for. */
const ASLEEP = { pollMs: 600_000 }

test('a worker goes on with what runs, begins nothing of a paused queue, and is woken when it is resumed', async () => {
  const { job, began, end } = held('slow')
  const quick = defineJob({ name: 'quick', input, run: () => 1 })
  const other = defineJob({ name: 'other', queue: 'other', input, run: () => 2 })
  await using place = await Workplace.open(job, quick, other)
  const pauses = new Pauses(place.store)
  await place.work(place.crew([job.handler, quick.handler, other.handler]), ASLEEP)
  const running = await place.client.enqueue(job, {})
  await began
  await pauses.pause('default')
  const waiting = await place.client.enqueue(quick, {})
  const elsewhere = await place.client.enqueue(other, {})
  assert.equal((await place.ended(elsewhere.id)).state, 'completed')
  end.resolve()
  assert.equal((await place.ended(running.id)).state, 'completed')
  assert.equal((await seen(place.store, waiting.id)).state, 'ready')
  await pauses.resume('default')
  assert.equal((await place.ended(waiting.id)).state, 'completed')
})

test('a stopped batch ends although its queue is paused', async () => {
  const each = defineJob({ name: 'each', input: anything<number>() })
  await using place = await Workplace.open(each)
  await new Pauses(place.store).pause('default')
  const { id } = await place.client.batches.enqueue(each, [0, 1, 2])
  await place.client.batches.cancel(id)
  await new StoppedBatches(place.store).round()
  const batch = only(await place.store.findBatches([id]))
  assert.deepEqual([batch?.cancelled, batch?.endedAt], [3, place.clock.now()])
})

test('a worker rests although jobs are ready in a queue that is paused', async () => {
  const job = defineJob({ name: 'chore', input, run: () => 1 })
  await using place = await Workplace.open(job)
  const { store, calls } = counting(place.store)
  place.store = store
  await new Pauses(store).pause('default')
  await place.client.enqueueMany(job, [1, 2, 3])
  await place.work(place.crew([job.handler]), ASLEEP)
  await settled()
  const before = calls.get('exchange')
  await settled()
  assert(before)
  assert.equal(calls.get('exchange'), before)
})
