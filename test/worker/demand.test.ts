import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { Demand } from '../../src/worker/demand.ts'
import { callOn, divert } from '../support/rotation.ts'
import { anything } from '../support/schema.ts'
import { Workplace } from '../support/workplace.ts'

const LOAD = 600
const PLACES = 100

test('a lone trip leaves for anything, a second one for half a load', () => {
  const demand = new Demand()
  assert(demand.isWorthATrip(LOAD, 1, 0))
  demand.left(1)
  assert(!demand.isWorthATrip(LOAD, 299, 299))
  assert(demand.isWorthATrip(LOAD, 300, 0))
  assert(demand.isWorthATrip(LOAD, 0, 300))
  demand.left(300)
  assert(!demand.isWorthATrip(LOAD, 300, 300))
})

test('a trip asks for half a load at most, be there places or not', () => {
  const demand = new Demand()
  assert.equal(demand.room(LOAD, PLACES, 0), 300)
  demand.left(300)
  assert.equal(demand.room(LOAD, PLACES, 0), 300)
  assert.equal(demand.room(LOAD, PLACES, 200), 100)
  assert.equal(new Demand().room(PLACES, PLACES, 0), PLACES)
})

test('of very many places a trip asks for as many as a store hands out', () => {
  const demand = new Demand()
  assert.equal(demand.room(5000, 4500, 0), 1000)
  demand.left(1000)
  assert(demand.isWorthATrip(5000, 1000, 0))
})

test('two trips share what has ended, however little there is room for now', () => {
  const demand = new Demand()
  assert.equal(demand.share(LOAD, PLACES, 600), 300)
  assert.equal(demand.share(0, 0, 10), 5)
  assert.equal(demand.share(10, 10, 500), 250)
  assert.equal(demand.share(10, 10, 5000), 1000)
})

test('what two trips brought at once leaves by two', async () => {
  const TURNS = 5
  const noop = defineJob({ name: 'noop', input: anything(), run: () => undefined })
  await using place = await Workplace.open(noop)
  const { store } = place
  const settled: number[] = []
  // Slower than the worker.
  const exchange = async (args: unknown[]) => {
    const reply = await callOn(store, 'exchange', args)
    settled.push(Array.isArray(args[2]) ? args[2].length : 0)
    for (let turn = 0; turn < TURNS; turn++) await nextTurn()
    return reply
  }
  place.store = divert(store, (name, args) =>
    name === 'exchange' ? exchange(args) : callOn(store, name, args),
  )
  const jobs = Array.from({ length: 20 * LOAD }, (_, i) => i)
  for (let at = 0; at < jobs.length; at += LOAD)
    await place.client.enqueueMany(noop, jobs.slice(at, at + LOAD))
  const last = await place.client.enqueue(noop, {}, { priority: 'low' })
  await place.work(place.crew([noop.handler], PLACES))
  await place.ended(last.id)
  assert(Math.max(...settled) <= LOAD / 2, settled.join(' '))
})
