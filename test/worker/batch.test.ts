import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { itemId } from '../../src/job/batch.ts'
import { defineJob } from '../../src/job/define.ts'
import { StoppedBatches } from '../../src/worker/stopped.ts'
import { only } from '../support/hand.ts'
import { HOUR } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { Workplace } from '../support/workplace.ts'

test('the handler of the job at the end is given what became of the items', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const half = defineJob({
    name: 'half',
    input: anything<number>(),
    attempts: 1,
    run: (n) => {
      if (n % 2 === 1) throw new Error('odd')
    },
  })
  const report = defineJob({ name: 'report', input: anything(), run: (ended) => resolve(ended) })
  await using place = await Workplace.open(half, report)
  const { id } = await place.client.batches.enqueue(half, [0, 1, 2, 3, 4], { onEnd: report })
  await place.work(place.crew([half.handler, report.handler]))
  const tally = { items: 5, completed: 3, withErrors: 0, failed: 2, cancelled: 0 }
  assert.deepEqual(await promise, { batch: id, job: 'half', ...tally })
  const view = await place.watch.batchEnded(id, HOUR)
  assert.deepEqual([view.outcome, view.pending], ['partial', 0])
})

test('what waits of a batch that was stopped is ended, wherever it lies', async () => {
  const slow = defineJob({ name: 'slow', input: anything<number>() })
  await using place = await Workplace.open(slow)
  const { id } = await place.client.batches.enqueue(
    slow,
    Array.from({ length: 450 }, (_, i) => i),
    {
      delay: '1h',
    },
  )
  await place.client.batches.cancel(id)
  await new StoppedBatches(place.store).round()
  const batch = only(await place.store.findBatches([id]))
  assert.deepEqual([batch?.cancelled, batch?.endedAt], [450, place.clock.now()])
  assert.deepEqual(await place.store.verify(), [])
})

test('a batch that nobody closed is stopped after an hour', async () => {
  const slow = defineJob({ name: 'slow', input: anything<number>() })
  await using place = await Workplace.open(slow)
  const id = newId()
  const batch = { id, job: 'slow', tenant: '', keepMs: HOUR }
  await place.store.changeBatch(id, { to: 'open', batch })
  const stopped = new StoppedBatches(place.store)
  place.clock.advance(HOUR - 1)
  await stopped.round()
  assert.equal(only(await place.store.findBatches([id]))?.stopped, undefined)
  place.clock.advance(1)
  await stopped.round()
  assert.equal(only(await place.store.findBatches([id]))?.stopped, 'unclosed')
})

test('items of a stopped batch that are claimed are not begun', async () => {
  let begun = 0
  const gate = Promise.withResolvers<void>()
  const each = defineJob({
    name: 'each',
    input: anything<number>(),
    run: async (n) => {
      begun++
      if (n === 0) await gate.promise
    },
  })
  await using place = await Workplace.open(each)
  const { id } = await place.client.batches.enqueue(each, [0, 1, 2, 3])
  await place.client.batches.cancel(id)
  await place.store.retry([itemId({ batch: id, index: 0 })])
  gate.resolve()
  await place.work(place.crew([each.handler]))
  const view = await place.watch.batchEnded(id, HOUR)
  assert.deepEqual([view.outcome, view.cancelled, begun], ['cancelled', 4, 0])
})
