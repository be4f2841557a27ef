import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../../src/client/client.ts'
import { hasCode } from '../../src/job/errors.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Hand, idsOf } from '../support/hand.ts'
import { chore, chores, completed, failed, HOUR, parked } from '../support/jobs.ts'

async function opened() {
  const store = await SqliteStore.open(':memory:')
  const { bulk } = new Client(store)
  const hand = await Hand.register(store)
  const fail = async (
    count: number,
    over: Parameters<typeof failed>[0] = {},
    queue = 'default',
  ) => {
    await store.insert(chores(count, { queue }))
    const held = await hand.claim(count, queue)
    await hand.settleAll(held, failed(over))
    return idsOf(held)
  }
  return {
    store,
    bulk,
    hand,
    fail,
    count: async (state: 'ready' | 'failed' | 'cancelled' | 'running') =>
      (await store.tally()).reduce((sum, tally) => sum + tally[state], 0),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

test('a dry run counts what a run then does', async () => {
  await using here = await opened()
  await here.fail(3)
  await here.fail(2, {}, 'other')
  const filter = { queue: 'default' }
  assert.deepEqual(await here.bulk.run('retry', filter, { dryRun: true }), {
    matched: 3,
    done: 0,
    refused: {},
  })
  assert.equal(await here.count('failed'), 5)
  assert.deepEqual(await here.bulk.run('retry', filter), { matched: 3, done: 3, refused: {} })
  assert.deepEqual([await here.count('failed'), await here.count('ready')], [2, 3])
})

test('a run that stops at its limit is gone on with, and meets each job once', async () => {
  await using here = await opened()
  await here.fail(250)
  const first = await here.bulk.run('retry', { state: 'failed' }, { limit: 120 })
  assert.deepEqual([first.done, await here.count('failed')], [120, 130])
  // What fails again meanwhile is newer, and waits for another run.
  await here.hand.settleAll(await here.hand.claim(5), failed())
  const cursor = first.next ?? assert.fail('it is over')
  const second = await here.bulk.run('retry', { state: 'failed' }, { cursor })
  assert.deepEqual([second.done, second.next, await here.count('failed')], [130, undefined, 5])
})

test('a reason tells failed jobs apart', async () => {
  await using here = await opened()
  await here.fail(2, { reason: 'timeout' })
  await here.fail(3)
  const { matched, done } = await here.bulk.run('discard', { reason: 'timeout' })
  assert.deepEqual([matched, done, await here.count('failed')], [2, 2, 3])
  assert.deepEqual(await here.store.verify(), [])
})

test('a cancel finds what has not ended, in whatever state, and asks what runs', async () => {
  await using here = await opened()
  const queue = 'default'
  await here.store.insert([chore()])
  await here.hand.settle(await here.hand.claimOne(), parked())
  await here.store.insert([chore()])
  const held = await here.hand.claimOne()
  await here.store.insert([chore({ delayMs: HOUR }), chore(), chore({ queue: 'other' })])
  const { matched, done } = await here.bulk.run('cancel', { queue })
  assert.deepEqual([matched, done], [4, 4])
  assert.deepEqual([await here.count('cancelled'), await here.count('running')], [3, 1])
  assert.equal((await here.store.find([held.id]))[0]?.cancelAsked, true)
})

test('what stands in the way is counted by its name', async () => {
  await using here = await opened()
  const unique = { value: 'u', until: 'end', onConflict: 'join' } as const
  await here.store.insert([chore({ unique })])
  await here.hand.settle(await here.hand.claimOne(), failed())
  await here.store.insert([chore({ unique })])
  const [hooked] = await here.fail(1, {}, 'other')
  await here.store.insert([chore({ queue: 'hooks', ...(hooked && { subject: hooked }) })])
  const retried = await here.bulk.run('retry', { queue: 'default' })
  assert.deepEqual(retried, { matched: 1, done: 0, refused: { taken: 1 } })
  const discarded = await here.bulk.run('discard', { queue: 'other' })
  assert.deepEqual(discarded, { matched: 1, done: 0, refused: { hooked: 1 } })
})

test('nothing is done to all jobs there are by mistake', async () => {
  await using here = await opened()
  const refused = (error: unknown) => hasCode(error, 'INVALID_OPTION')
  await assert.rejects(here.bulk.run('cancel', {}), refused)
  await assert.rejects(here.bulk.run('cancel', { tenant: 'acme' }), refused)
  await assert.rejects(here.bulk.run('discard', { state: 'running' }), refused)
  const cursor = 'scheduled.x'
  await assert.rejects(here.bulk.run('retry', { queue: 'a' }, { cursor }), (error) =>
    hasCode(error, 'INVALID_QUERY'),
  )
})

test('what completed is left alone', async () => {
  await using here = await opened()
  await here.store.insert([chore({ tags: ['red'] })])
  await here.hand.settle(await here.hand.claimOne(), completed())
  for (const act of ['retry', 'cancel', 'discard'] as const)
    assert.equal((await here.bulk.run(act, { tag: 'red' })).matched, 0)
})
