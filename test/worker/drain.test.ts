import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { Cuttable } from '../support/cuttable.ts'
import { held } from '../support/held.ts'
import { idsOf } from '../support/hand.ts'
import { anything } from '../support/schema.ts'
import { until } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

const input = anything()
const quick = defineJob({ name: 'quick', input, run: () => 1 })

test('a stop waits for what runs and claims nothing more', async () => {
  const { job, began, end } = held()
  await using place = await Workplace.open(job, quick)
  const worker = await place.work(place.crew([job.handler, quick.handler]))
  const { id } = await place.client.enqueue(job, {})
  await began
  const stopped = worker.stop()
  const { id: later } = await place.client.enqueue(quick, {})
  end.resolve()
  assert.equal(await stopped, true)
  const [first, second] = await place.store.find([id, later])
  assert.deepEqual([first?.state, second?.state], ['completed', 'ready'])
  await worker.closed
})

test('a stop hands back at once what was fetched ahead', async () => {
  const { job, began, end } = held()
  await using place = await Workplace.open(job, quick)
  const worker = await place.work(place.crew([job.handler, quick.handler], 1))
  // So many that one which a busy machine held up is forgotten.
  const warm = await place.client.enqueueMany(
    quick,
    Array.from({ length: 200 }, () => 0),
  )
  for (const { id } of warm) await place.ended(id)

  const { id } = await place.client.enqueue(job, {}, { priority: 'high', delay: '1s' })
  const ahead = idsOf(await place.client.enqueueMany(quick, [1, 2, 3], { delay: '1s' }))
  place.clock.advance(1000)
  await began
  const states = async () => (await place.store.find(ahead)).map((one) => one?.state)
  await until(place.store, async () => (await states()).every((state) => state === 'running'))

  const stopped = worker.stop()
  await until(place.store, async () => (await states()).every((state) => state === 'ready'))
  end.resolve()
  assert.equal(await stopped, true)
  const [long, ...others] = await place.store.find([id, ...ahead])
  assert.equal(long?.state, 'completed')
  for (const other of others) assert.deepEqual([other?.state, other?.failures], ['ready', 0])
})

test('after the grace time what still runs is handed back uncounted', async () => {
  const { job, began, end } = held()
  await using place = await Workplace.open(job)
  const worker = await place.work(place.crew([job.handler]), { graceMs: 5 })
  const { id } = await place.client.enqueue(job, {})
  await began
  assert.equal(await worker.stop(), true)
  const [row] = await place.store.find([id])
  assert.deepEqual([row?.state, row?.failures, row?.losses, row?.crashes], ['ready', 0, 0, 0])
  end.resolve()
  assert.deepEqual(await place.store.verify(), [])
})

test('what an abandoned handler returns later counts for nothing', async () => {
  const { job, began, end } = held()
  await using place = await Workplace.open(job)
  const worker = await place.work(place.crew([job.handler]), { graceMs: 5 })
  const { id } = await place.client.enqueue(job, {})
  await began
  await worker.stop()
  end.resolve()
  await worker.closed
  assert.equal((await place.store.find([id]))[0]?.state, 'ready')
})

test('a stop leaves the worker’s figures behind, and its jobs to nobody', async () => {
  await using place = await Workplace.open(quick)
  const worker = await place.work(place.crew([quick.handler]))
  const { id } = await place.client.enqueue(quick, {})
  await place.ended(id)
  await worker.stop()
  assert.match(JSON.stringify(await place.watch.metrics()), /"job":"quick","outcome":"completed"/)
  assert.equal((await place.watch.workers())[0]?.running, 0)
})

test('a second stop is no harm', async () => {
  await using place = await Workplace.open()
  const worker = await place.work(place.crew([]))
  assert.deepEqual(await Promise.all([worker.stop(), worker.stop()]), [true, true])
})

test('a store that is down when the worker stops is told of', async () => {
  await using place = await Workplace.open()
  const line = new Cuttable(place.store)
  place.store = line.store
  const worker = await place.work(place.crew([]))
  line.cut('retire', 'before')
  assert.equal(await worker.stop(), false)
})
