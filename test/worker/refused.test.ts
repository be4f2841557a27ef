import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { callOn, divert } from '../support/rotation.ts'
import { anything } from '../support/schema.ts'
import { until } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

const double = defineJob({ name: 'double', input: anything(), run: (n) => Number(n) * 2 })

test('a settlement that cannot be stored fails its own job, and none of its neighbours', async () => {
  await using place = await Workplace.open(double)
  const ids = await place.client.enqueueMany(double, [1, 2, 3, 4, 5])
  // Stands for a value that the store's driver refuses to bind.
  const unfit = `"id":"${ids[2]?.id}"`
  const { store } = place
  place.store = divert(store, (name, [worker, n, settlements, claim]) => {
    const culprit = name === 'exchange' && Array.isArray(settlements) && settlements.find(isUnfit)
    if (culprit) return Promise.reject(new TypeError('cannot be bound'))
    return callOn(store, name, [worker, n, settlements, claim])
  })
  const isUnfit = (settlement: unknown) => {
    const text = JSON.stringify(settlement)
    return text.includes(unfit) && text.includes('"to":"completed"')
  }
  await place.work(place.crew([double.handler]))
  const views = await Promise.all(ids.map(({ id }) => place.ended(id)))
  assert.deepEqual(
    views.map(({ state, reason }) => reason ?? state),
    ['completed', 'completed', 'unserializable_result', 'completed', 'completed'],
  )
})

test('a job that began in time does not expire before its next attempt', async () => {
  const flaky = defineJob({
    name: 'flaky',
    input: anything(),
    run(_, { attempt }) {
      if (attempt === 1) throw new Error('once')
      return attempt
    },
  })
  await using place = await Workplace.open(flaky)
  await place.work(place.crew([flaky.handler]), { pollMs: 5 })
  const { id } = await place.client.enqueue(flaky, {}, { expiresIn: '10s' })
  await until(place.store, async () => (await place.watch.job(id)).state === 'scheduled')
  place.clock.set(place.clock.now() + 70_000)
  assert.equal((await place.ended(id)).state, 'completed')
})
