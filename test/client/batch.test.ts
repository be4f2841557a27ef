import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Client } from '../../src/client/client.ts'
import { Unreadable } from '../../src/client/sending.ts'
import { newId } from '../../src/base/id.ts'
import { itemId } from '../../src/job/batch.ts'
import { defineJob } from '../../src/job/define.ts'
import { type Code, hasCode } from '../../src/job/errors.ts'
import type { BatchOptions } from '../../src/job/items.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Hand, only, seen } from '../support/hand.ts'
import { completed, failed, textOf } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'

const mail = defineJob({
  name: 'mail',
  input: z.object({ to: z.string().includes('@') }),
  unique: { by: ({ to }) => to },
})
const done = defineJob({ name: 'done', input: anything(), queue: 'ends' })

const code = (expected: Code) => (error: unknown) => hasCode(error, expected)

async function opened() {
  const store = await SqliteStore.open(':memory:')
  const { batches } = new Client(store, [mail, done])
  const batch = async (id: string) => only(await store.findBatches([id]))
  return { store, batches, batch, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

const to = (count: number) => Array.from({ length: count }, (_, i) => ({ to: `${i}@x.org` }))

async function* stream(count: number, isBad: (index: number) => boolean = () => false) {
  for (let i = 0; i < count; i++) yield isBad(i) ? { to: 'nobody' } : { to: `${i}@x.org` }
}

test('items of a list become jobs of one batch, each at its place, although they are alike', async () => {
  await using here = await opened()
  const twice = [...to(2), ...to(1)]
  const { id, ...rest } = await here.batches.enqueue(mail, twice, { tenant: 'acme', priority: 2 })
  assert.deepEqual(rest, { joined: false, items: 3, invalid: 0, issues: [] })
  const item = await seen(here.store, itemId({ batch: id, index: 2 }))
  assert.deepEqual(
    [item.tenant, item.priority, textOf(item.input), item.place],
    ['acme', 2, '{"to":"0@x.org"}', { batch: id, index: 2 }],
  )
  const batch = await here.batch(id)
  assert.equal(batch?.items, 3)
  assert.notEqual(batch?.closedAt, undefined)
})

test('a stream of items is taken in pieces, whole or not at all', async () => {
  await using here = await opened()
  const { id } = await here.batches.enqueue(mail, stream(2500))
  assert.equal((await here.batch(id))?.items, 2500)
  const last = await seen(here.store, itemId({ batch: id, index: 2499 }))
  assert.equal(textOf(last.input), '{"to":"2499@x.org"}')

  const refused = here.batches.enqueue(
    mail,
    stream(2500, (i) => i === 7 || i === 2400),
    { id: newId() },
  )
  await assert.rejects(refused, (error) => {
    assert(hasCode(error, 'INVALID_ITEMS'))
    assert.deepEqual(
      error.issues.map(({ pointer }) => pointer),
      ['/7/to', '/2400/to'],
    )
    return true
  })
  assert.equal((await here.store.listBatches({}, 10)).batches.length, 1)
})

test('items that do not fit fail alone where that was asked for', async () => {
  await using here = await opened()
  const items = [
    { to: 'a@x.org' },
    { to: 'nobody' },
    new Unreadable('{"to":', 'the line is not JSON'),
  ]
  const accepted = await here.batches.enqueue('mail', items, { invalid: 'fail' })
  assert.deepEqual([accepted.items, accepted.invalid], [3, 2])
  assert.deepEqual(
    accepted.issues.map(({ pointer, code: what }) => [pointer, what]),
    [
      ['/1/to', 'invalid'],
      ['/2', 'not_json'],
    ],
  )
  const inputs = [1, 2].map(async (index) => {
    const item = await seen(here.store, itemId({ batch: accepted.id, index }))
    return textOf(item.input)
  })
  assert.deepEqual(await Promise.all(inputs), ['{"to":"nobody"}', '"{\\"to\\":"'])
})

test('of a batch that is sent twice at once the slower one joins; one that was stopped takes no more', async () => {
  await using here = await opened()
  for (const isStopped of [false, true]) {
    const id = newId()
    const [begun, through] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const held = (async function* () {
      yield* stream(1000)
      begun.resolve()
      await through.promise
      yield* stream(500)
    })()
    const slow = here.batches.enqueue(mail, held, { id, invalid: 'fail' })
    await begun.promise
    if (isStopped) await here.batches.cancel(id)
    else await here.batches.enqueue(mail, stream(1500), { id, invalid: 'fail' })
    through.resolve()
    if (isStopped) await assert.rejects(slow, code('BATCH_CLOSED'))
    else assert.deepEqual([(await slow).joined, (await slow).items], [true, 1500])
  }
})

test('a batch that is sent again under its id is the same; what was missing comes in', async () => {
  await using here = await opened()
  const id = newId()
  const died = (async function* () {
    yield* stream(1500)
    throw new Error('the line broke')
  })()
  await assert.rejects(here.batches.enqueue(mail, died, { id, invalid: 'fail' }), /the line broke/)
  assert.equal((await here.batch(id))?.items, 1000)
  const again = await here.batches.enqueue(mail, stream(1500), { id, invalid: 'fail' })
  assert.deepEqual([again.joined, again.items], [true, 1500])
  const third = await here.batches.enqueue(mail, stream(1500), { id, invalid: 'fail' })
  assert.deepEqual([third.joined, third.items], [true, 1500])
  await assert.rejects(here.batches.enqueue(mail, stream(3), { id }), code('ID_TAKEN'))
  await assert.rejects(
    here.batches.enqueue(done, stream(3), { id, invalid: 'fail' }),
    code('ID_TAKEN'),
  )
})

test('too many failures are told as a number, or as a share of all', async () => {
  await using here = await opened()
  const shared = await here.batches.enqueue(mail, to(50), { stopAfter: '5%' })
  assert.equal((await here.batch(shared.id))?.failedMax, 2)
  const counted = await here.batches.enqueue(mail, to(50), { stopAfter: 7 })
  assert.equal((await here.batch(counted.id))?.failedMax, 7)
})

test('a batch without items, or of what it cannot be, is refused', async () => {
  await using here = await opened()
  const refusals: [BatchOptions, readonly unknown[], Code][] = [
    [{}, [], 'INVALID_OPTION'],
    [{ invalid: 'fail' }, [], 'INVALID_OPTION'],
    [{ stopAfter: '101%' }, to(1), 'INVALID_OPTION'],
    [{ stopAfter: -1 }, to(1), 'INVALID_OPTION'],
    [{ id: 'mine' }, to(1), 'INVALID_OPTION'],
    [{ queue: 'No' }, to(1), 'INVALID_OPTION'],
    [{ onEnd: mail }, to(1), 'INVALID_OPTION'],
  ]
  for (const [options, items, expected] of refusals)
    await assert.rejects(here.batches.enqueue('mail', items, options), code(expected))
  await assert.rejects(here.batches.enqueue('mial', to(1)), code('UNKNOWN_JOB'))
  assert.deepEqual(await here.store.tally(), [])
  assert.deepEqual((await here.store.listBatches({}, 10)).batches, [])
})

test('only what failed is retried, and the batch ends once more with its job', async () => {
  await using here = await opened()
  const hand = await Hand.register(here.store)
  const { id } = await here.batches.enqueue(mail, to(3), { onEnd: done })
  const [first, ...others] = await hand.claim(3)
  await hand.settle(first!, completed())
  await hand.settleAll(others, failed())
  assert.equal(await here.batches.retry(id), 2)
  assert.equal((await here.batch(id))?.endedAt, undefined)
  await hand.settleAll(await hand.claim(3), completed())
  assert.equal((await here.batch(id))?.completed, 3)
  assert.equal((await hand.claim(3, 'ends')).length, 2)
  assert.equal(await here.batches.retry(id), 0)
  await assert.rejects(here.batches.retry(newId()), code('BATCH_NOT_FOUND'))
})

test('a batch that is cancelled begins nothing more', async () => {
  await using here = await opened()
  const { id } = await here.batches.enqueue(mail, to(3))
  await here.batches.cancel(id)
  assert.equal((await here.batch(id))?.stopped, 'asked')
  await assert.rejects(here.batches.cancel(newId()), code('BATCH_NOT_FOUND'))
})
