import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostname } from 'node:os'
import { isOverloaded } from '../../src/watch/workers.ts'
import { resultOf, start, Troupe } from '../support/troupe.ts'
import { eventually } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'
import { pid, spin } from './fixture.app.ts'

const QUICK = { overloadMs: 100 }

test('an executor whose loop does not turn is handed no more jobs, and counts for what it holds', async () => {
  await using troupe = await Troupe.start({ ...QUICK, processes: 2, concurrency: 6 })
  const loop = troupe.begin('spin')
  const busy = await troupe.pidOf(loop)
  assert.equal(troupe.crew.places, 6)
  await eventually(() => troupe.crew.vitals.overloaded === 1)
  assert.equal(troupe.crew.places, 4)
  for (let i = 0; i < 4; i++) assert.notEqual(await resultOf(troupe, 'pid'), busy)
})

test('an executor that keeps up again is handed jobs again', async () => {
  await using troupe = await Troupe.start({ ...QUICK, concurrency: 2 })
  const loop = troupe.begin('spin')
  await eventually(() => troupe.crew.vitals.overloaded === 1)
  assert.equal(troupe.crew.places, 1)
  troupe.crew.stop(loop.id, loop.fence, { how: 'cancelled' })
  await eventually(() => troupe.crew.places === 2)
  assert.equal(typeof (await resultOf(troupe, 'pid')), 'number')
})

test('while a worker is overloaded it says so, and new jobs go to another', async () => {
  await using place = await Workplace.open(spin, pid)
  await using hogged = await start(QUICK)
  const settings = { pollMs: 50, renewMs: 100 }
  const first = await place.work(hogged, settings)
  const { id: loop } = await place.client.enqueue(spin, {})
  const view = await eventually(async () => (await place.watch.workers()).find(isOverloaded))
  assert.deepEqual(
    { id: view.id, host: view.host, overloaded: view.overloaded, processes: view.processes },
    { id: first.id, host: hostname(), overloaded: 1, processes: 1 },
  )

  const { id } = await place.client.enqueue(pid, {})
  await using free = await start(QUICK)
  await place.work(free, settings)
  await place.reaches(id, 'completed')
  assert.deepEqual((await place.watch.workers()).map(isOverloaded), [true, false])
  await place.client.cancel(loop)
  await place.reaches(loop, 'cancelled')
})
