import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { chain } from '../../src/job/chain.ts'
import { defineJob } from '../../src/job/define.ts'
import { Workplace } from '../support/workplace.ts'
import { anything } from '../support/schema.ts'

const parse = defineJob({
  name: 'parse',
  input: z.object({ text: z.string() }),
  output: z.object({ n: z.number() }),
  run: ({ text }) => ({ n: Number(text) }),
})
const double = defineJob({
  name: 'double',
  input: z.object({ n: z.number() }),
  output: z.number(),
  run: ({ n }) => n * 2,
})
const spell = defineJob({
  name: 'spell',
  input: z.number(),
  output: z.string(),
  run: (n) => `it is ${n}`,
})

test('a chain runs each link on what the one before came to', async () => {
  const all = chain({ name: 'all', queue: 'chains' }, parse, double, spell)
  await using place = await Workplace.open(parse, double, spell, all)
  const handlers = [parse, double, spell, all].map(({ handler }) => handler)
  await place.work(place.crew(handlers, 1))
  const { id } = await place.client.enqueue(all, { text: '21' })
  const said: string = await place.watch.result(all, id)
  assert.equal(said, 'it is 42')
  assert.equal((await place.watch.job(id)).queue, 'chains')
  // @ts-expect-error a number is no text to parse
  chain({ name: 'wrong' }, double, parse)
})

test('a job leaves others behind when it completes, and none when it does not', async () => {
  const left = defineJob({ name: 'left', input: z.number(), run: (n) => n })
  const leaves = defineJob({
    name: 'leaves',
    input: z.boolean(),
    attempts: 1,
    async run(isGood, { enqueue }) {
      const { id } = await enqueue('a', left, 1, { queue: 'later' })
      await enqueue('b', left, 2, { delay: '1h', tags: ['x'] })
      if (!isGood) throw new Error('no')
      return id
    },
  })
  await using place = await Workplace.open(left, leaves)
  await place.work(place.crew([left.handler, leaves.handler]))
  const bad = await place.client.enqueue(leaves, false)
  assert.equal((await place.ended(bad.id)).state, 'failed')
  assert.deepEqual((await place.store.list({ job: 'left' }, 9)).jobs, [])
  const good = await place.client.enqueue(leaves, true, { tenant: 'acme' })
  const id: string = JSON.parse(JSON.stringify(await place.watch.result(leaves, good.id)))
  assert.equal((await place.ended(id)).state, 'completed')
  const { jobs } = await place.store.list({ job: 'left' }, 9)
  assert.deepEqual(
    jobs.map(({ queue, tenant, tags }) => [queue, tenant, ...tags]),
    [
      ['default', 'acme', 'x'],
      ['later', 'acme'],
    ],
  )
})

test('a name is used once for what is left behind', async () => {
  const left = defineJob({ name: 'left', input: anything() })
  const twice = defineJob({
    name: 'twice',
    input: anything(),
    run: async (_, { enqueue }) => [await enqueue('a', left, 1), await enqueue('a', left, 2)],
  })
  await using place = await Workplace.open(left, twice)
  await place.work(place.crew([twice.handler]))
  const { id } = await place.client.enqueue(twice, {})
  assert.equal((await place.ended(id)).state, 'failed')
})

test('a job of nobody says whose what it leaves is; a tenant’s leaves nothing to others', async () => {
  const left = defineJob({ name: 'left', input: z.number(), run: (n) => n })
  const leaves = defineJob({
    name: 'leaves',
    input: z.number(),
    attempts: 1,
    run: (n, { enqueue }) => enqueue('a', left, n, { tenant: 'acme' }),
  })
  await using place = await Workplace.open(left, leaves)
  await place.work(place.crew([left.handler, leaves.handler]))
  const house = await place.client.enqueue(leaves, 1)
  assert.equal((await place.ended(house.id)).state, 'completed')
  const other = await place.client.enqueue(leaves, 2, { tenant: 'initech' })
  assert.equal((await place.ended(other.id)).state, 'failed')
  const { jobs } = await place.store.list({ job: 'left' }, 9)
  assert.deepEqual(
    jobs.map(({ tenant }) => tenant),
    ['acme'],
  )
})
