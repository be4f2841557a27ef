import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../../src/client/client.ts'
import { newId } from '../../src/base/id.ts'
import { defineJob } from '../../src/job/define.ts'
import { type Code, hasCode } from '../../src/job/errors.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { counting } from '../support/counting.ts'
import { Cuttable } from '../support/cuttable.ts'
import { Hand, idsOf, only, seen } from '../support/hand.ts'
import { completed, DAY, failed, textOf } from '../support/jobs.ts'
import { callOn, divert } from '../support/rotation.ts'
import { anything } from '../support/schema.ts'

const greet = defineJob({ name: 'greet', input: anything<{ to: string }>() })
const by = (input: unknown) => JSON.stringify(input)
const once = defineJob({ name: 'once', input: anything(), unique: { by } })
const strict = defineJob({
  name: 'strict',
  input: anything(),
  unique: { by, onConflict: 'refuse', until: 'kept' },
})

const code = (expected: Code) => (error: unknown) => hasCode(error, expected)

async function opened(): Promise<{ store: Store; client: Client } & AsyncDisposable> {
  const store = await SqliteStore.open(':memory:')
  const client = new Client(store, [greet, once, strict])
  return { store, client, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

test('a job is stored when its enqueue resolves, by definition or by name', async () => {
  await using here = await opened()
  const first = await here.client.enqueue(greet, { to: 'Ada' })
  const second = await here.client.enqueue('greet', { to: 'Bob' })
  assert.deepEqual([first.joined, second.joined], [false, false])
  assert.equal(textOf((await seen(here.store, first.id)).input), '{"to":"Ada"}')
  assert.equal((await seen(here.store, second.id)).job, 'greet')
})

test('a name nobody defined is refused before anything is stored', async () => {
  await using here = await opened()
  await assert.rejects(here.client.enqueue('greeet', {}), code('UNKNOWN_JOB'))
  assert.deepEqual(await here.store.tally(), [])
})

test('the same id and request join, another request is refused', async () => {
  await using here = await opened()
  const id = newId()
  assert.deepEqual(await here.client.enqueue(greet, { to: 'Ada' }, { id }), { id, joined: false })
  assert.deepEqual(await here.client.enqueue(greet, { to: 'Ada' }, { id }), { id, joined: true })
  await assert.rejects(here.client.enqueue(greet, { to: 'Bob' }, { id }), code('ID_TAKEN'))
  await assert.rejects(here.client.enqueue('once', { to: 'Ada' }, { id }), code('ID_TAKEN'))
})

test('a unique value joins the job that holds it until that has ended', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(once, { n: 1 })
  assert.deepEqual(await here.client.enqueue(once, { n: 1 }), { id, joined: true })
  assert.equal((await here.client.enqueue(once, { n: 2 })).joined, false)
  const hand = await Hand.register(here.store)
  const [job] = await hand.claim(1)
  assert(job)
  await hand.settle(job, completed())
  assert.equal((await here.client.enqueue(once, { n: 1 })).joined, false)
})

test('a unique value may refuse instead, for as long as the record is kept', async () => {
  await using here = await opened()
  await here.client.enqueue(strict, { n: 1 })
  await assert.rejects(here.client.enqueue(strict, { n: 1 }), code('UNIQUE_TAKEN'))
  const hand = await Hand.register(here.store)
  await hand.settle(await hand.claimOne(), completed())
  await assert.rejects(here.client.enqueue(strict, { n: 1 }), code('UNIQUE_TAKEN'))
})

test('a request repeated with its key finds the first job, and another body is refused', async () => {
  await using here = await opened()
  const ask = (to: string) =>
    here.client.enqueueOnce('greet', { to }, { tenant: 'acme' }, { route: 'r', key: 'k' })
  const { id } = await ask('Ada')
  assert.deepEqual(await ask('Ada'), { id, joined: true })
  await assert.rejects(ask('Bob'), code('ID_TAKEN'))
})

test('it is the same request when only what the asker did not say is another', async () => {
  await using here = await opened()
  const ask = (priority: number, expiresIn: '1h' | '2h') => {
    const idempotency = { route: 'r', key: 'k', asked: { priority } }
    return here.client.enqueueOnce('greet', { to: 'Ada' }, { priority, expiresIn }, idempotency)
  }
  const { id } = await ask(3, '1h')
  assert.deepEqual(await ask(3, '2h'), { id, joined: true })
  await assert.rejects(ask(4, '1h'), code('ID_TAKEN'))
})

test('many jobs are stored in one call, or none of them', async () => {
  await using here = await opened()
  const { store, calls } = counting(here.store)
  const client = new Client(store, [greet])
  const inputs = ['Ada', 'Bob', 'Cem'].map((to) => ({ to }))
  const enqueued = await client.enqueueMany(greet, inputs, { queue: 'mail' })
  const stored = await store.find(idsOf(enqueued))
  assert.deepEqual(
    stored.map((job) => textOf(job?.input)),
    inputs.map((to) => JSON.stringify(to)),
  )
  assert.equal(calls.get('insert'), 1)

  const bad = client.enqueueMany('greet', [{ to: 'Dan' }, { to: 1n }])
  await assert.rejects(bad, code('UNSTORABLE_INPUT'))
  assert.equal(only(await store.tally()).accepted, 3)
  assert.deepEqual(await client.enqueueMany(greet, []), [])
})

test('a hundred enqueues at once share few trips', async () => {
  await using here = await opened()
  const { store, calls } = counting(here.store)
  const client = new Client(store, [greet])
  const asked = Array.from({ length: 100 }, (_, i) => client.enqueue(greet, { to: `${i}` }))
  assert.equal(new Set(idsOf(await Promise.all(asked))).size, 100)
  assert((calls.get('insert') ?? 0) <= 2, `${calls.get('insert')} trips`)
})

test('what belongs to a transaction shares its trip with no other, and is told where it cannot', async () => {
  await using here = await opened()
  const trips: unknown[][] = []
  const store = divert(here.store, (name, args) => {
    if (name === 'insert') trips.push(args)
    return callOn(here.store, name, args)
  })
  const client = new Client(store, [greet])
  const tx = { query: async () => assert.fail('nothing is sent') }
  const [first, plain, ...others] = await Promise.allSettled([
    client.enqueue(greet, { to: 'Ada' }, { tx }),
    client.enqueue(greet, { to: 'Bob' }),
    client.enqueue(greet, { to: 'Cyd' }, { tx, priority: 'high' }),
    client.enqueueMany(greet, [{ to: 'Dan' }, { to: 'Eve' }], { tx }),
  ])
  assert.equal(plain.status, 'fulfilled')
  for (const refused of [first, ...others])
    assert(refused.status === 'rejected' && hasCode(refused.reason, 'TX_UNSUPPORTED'))
  const said = trips.map(
    ([jobs, within]) => `${Array.isArray(jobs) && jobs.length} ${within === tx}`,
  )
  assert.deepEqual(said.toSorted(), ['1 false', '1 true', '1 true', '2 true'])
})

test('one refused job harms none that came along', async () => {
  await using here = await opened()
  const asked = Array.from({ length: 10 }, (_, i) =>
    here.client.enqueue(strict, { n: i === 4 ? 3 : i }),
  )
  const answers = (await Promise.allSettled(asked)).map(({ status }) => status)
  assert.equal(answers.filter((status) => status === 'fulfilled').length, 9)
  assert.equal(answers[4], 'rejected')
})

test('a lost reply to an insert is repeated safely under the same id', async () => {
  await using here = await opened()
  const line = new Cuttable(here.store)
  const client = new Client(line.store, [greet])
  const id = newId()
  line.cut('insert', 'after')
  await assert.rejects(client.enqueue(greet, { to: 'Ada' }, { id }), code('STORE_UNREACHABLE'))
  assert.deepEqual(await client.enqueue(greet, { to: 'Ada' }, { id }), { id, joined: true })
  line.cut('insert', 'before')
  await assert.rejects(client.enqueue(greet, { to: 'Bob' }), code('STORE_UNREACHABLE'))
  assert.equal(only(await here.store.tally()).accepted, 1)
})

test('cancelling ends what waits, asks who runs, and refuses what has ended', async () => {
  await using here = await opened()
  const hand = await Hand.register(here.store)
  const { id: running } = await here.client.enqueue(greet, { to: 'Ada' })
  await hand.claimOne()
  const { id: waiting } = await here.client.enqueue(greet, { to: 'Bob' })
  assert.equal(await here.client.cancel(running), 'asked')
  assert.equal(await here.client.cancel(waiting), 'cancelled')
  const { state, cancelAsked } = await seen(here.store, running)
  assert.deepEqual([state, cancelAsked], ['running', true])
  assert.equal(await here.client.cancel(waiting), 'cancelled')
  const { id: ended } = await here.client.enqueue(greet, { to: 'Cem' })
  await hand.settle(await hand.claimOne(), completed())
  await assert.rejects(here.client.cancel(ended), code('WRONG_STATE'))
  await assert.rejects(here.client.cancel(newId()), code('JOB_NOT_FOUND'))
})

test('a cancelled job is kept as long as failed ones are by default', async () => {
  await using store = await SqliteStore.open(':memory:', { clock: { now: () => now } })
  let now = Date.now()
  const client = new Client(store, [greet])
  const { id } = await client.enqueue(greet, { to: 'Ada' })
  await client.cancel(id)
  now += 30 * DAY - 1
  assert.equal((await store.purge(10)).erased, 0)
  now += 2
  assert.equal((await store.purge(10)).erased, 1)
})

test('a failed job gets another life, with a new input if one is given', async () => {
  await using here = await opened()
  const hand = await Hand.register(here.store)
  const { id } = await here.client.enqueue(greet, { to: 'Ada' })
  await assert.rejects(here.client.retry(id), code('WRONG_STATE'))
  await hand.settle(await hand.claimOne(), failed())
  await here.client.retry(id, { input: { to: 'Bob' } })
  const again = await hand.claimOne()
  assert.deepEqual([again.id, again.failures, textOf(again.input)], [id, 0, '{"to":"Bob"}'])
  await hand.settle(again, failed())
  await here.client.retry(id)
  assert.equal(textOf((await hand.claimOne()).input), '{"to":"Bob"}')
})

test('a retry is refused when it cannot be', async () => {
  await using here = await opened()
  const hand = await Hand.register(here.store)
  const { id } = await here.client.enqueue(once, { n: 1 })
  await hand.settle(await hand.claimOne(), failed())
  await assert.rejects(here.client.retry(id, { input: 1n }), code('UNSTORABLE_INPUT'))
  const { id: other } = await here.client.enqueue(once, { n: 1 })
  await assert.rejects(here.client.retry(id), { code: 'UNIQUE_TAKEN', details: { id: other } })
  await assert.rejects(here.client.retry(newId()), code('JOB_NOT_FOUND'))
})
