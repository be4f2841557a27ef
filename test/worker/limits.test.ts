import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { hasCode } from '../../src/job/errors.ts'
import { HOUR } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { Workplace } from '../support/workplace.ts'

test('two workers together run no more of a key than it has places', async () => {
  let [running, most, done] = [0, 0, 0]
  const few = defineJob({
    name: 'few',
    input: anything<number>(),
    limits: [{ key: 'few', running: 3 }],
    run: async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => void setImmediate(resolve))
      running--
      done++
    },
  })
  await using place = await Workplace.open(few)
  const inputs = Array.from({ length: 60 }, (_, i) => i)
  const { id } = await place.client.batches.enqueue(few, inputs)
  for (let i = 0; i < 2; i++) await place.work(place.crew([few.handler]))
  const view = await place.watch.batchEnded(id, HOUR)
  assert.deepEqual([view.completed, done, most], [60, 60, 3])
})

test('items whose keys are made of their inputs keep them on their way through a batch', async () => {
  const each = defineJob({
    name: 'each',
    input: anything<{ host: string }>(),
    limits: [{ key: ({ host }) => host, running: 1 }],
  })
  await using place = await Workplace.open(each)
  const { id } = await place.client.batches.enqueue(each, [
    { host: 'a' },
    { host: 'a' },
    { host: 'b' },
  ])
  const { items } = await place.watch.items(id)
  assert.deepEqual(
    items.map(({ heldBy }) => heldBy),
    [undefined, 'a', undefined],
  )
  const why = await place.watch.why(items[1]!.id)
  assert.deepEqual(why, {
    code: 'HELD',
    text: 'all 1 places of the key a are taken: it waits in its line',
  })
})

test('as many as may wait refuse one more, by name of the key', async () => {
  const some = defineJob({
    name: 'some',
    input: anything(),
    limits: [{ key: 'queue:some', pending: 2 }],
  })
  await using place = await Workplace.open(some)
  await place.client.enqueueMany(some, [1, 2])
  await assert.rejects(
    place.client.enqueue(some, 3),
    (error) => hasCode(error, 'LIMIT_REACHED') && error.details.key === 'queue:some',
  )
})

test('a tenant that floods a fair queue keeps nobody from theirs', async () => {
  const order: string[] = []
  const say = defineJob({
    name: 'say',
    input: anything<string>(),
    fair: true,
    run: (tenant) => void order.push(tenant),
  })
  await using place = await Workplace.open(say)
  await place.client.enqueueMany(
    say,
    Array.from({ length: 500 }, () => 'flood'),
    { tenant: 'flood' },
  )
  const { id } = await place.client.enqueue(say, 'one', { tenant: 'one' })
  await place.work(place.crew([say.handler], 1))
  await place.watch.result(say, id)
  assert(order.indexOf('one') < 3, `${order.indexOf('one')}`)
})
