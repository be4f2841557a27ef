import assert from 'node:assert/strict'
import { type Change, PAUSE, type Store } from '../../../src/store/contract.ts'
import { change, DONE, put, removal } from '../../support/entries.ts'
import { accepted, Hand, idsOf, only, running, seen } from '../../support/hand.ts'
import {
  again,
  cancels,
  chore,
  chores,
  completed,
  HOUR,
  released,
  SECOND,
} from '../../support/jobs.ts'
import { limited, one } from '../../support/limited.ts'
import { rings } from '../../support/rings.ts'
import type { Clauses } from '../conform.ts'

async function paused(store: Store, queue = 'default'): Promise<Change> {
  const pause = change({ kind: PAUSE, name: queue })
  assert.deepEqual(await put(store, pause), DONE)
  return pause
}

const resume = (store: Store, pause: Change) => put(store, removal(pause))

/** What is handed to a worker that names no queue. */
const claimAny = async (worker: Hand, limit = 10) =>
  accepted(await worker.exchange([], limit, [])).jobs

export const pause: Clauses = {
  'C7 none leaves a queue that is paused, whether the worker names it or all': async (store) => {
    const worker = await Hand.register(store)
    const [held, other] = [chores(3, { queue: 'held' }), chores(2, { queue: 'other' })]
    await store.insert([...held, ...other])
    await paused(store, 'held')
    assert.deepEqual(await worker.claim(10, 'held'), [])
    assert.deepEqual(idsOf(await worker.claim(1, 'held', 'other')), idsOf(other.slice(0, 1)))
    assert.deepEqual(idsOf(await claimAny(worker)), idsOf(other.slice(1)))
    for (let i = 0; i < 4; i++) assert.deepEqual(await claimAny(worker), [])
  },

  'C7 who is handed a place in a queue that is paused stays there until it is resumed': async (
    store,
  ) => {
    const hand = await Hand.register(store)
    const [first, held] = ['other', 'default'].map((queue) =>
      only(limited(1, [one('a')], { queue })),
    )
    await store.insert([first!, held!])
    const job = only(await hand.claim(10, 'other'))
    const pause = await paused(store)
    const end = { id: job.id, fence: job.fence, outcome: completed() }
    assert.deepEqual(accepted(await hand.exchange([end], 10, [])).jobs, [])
    assert.deepEqual([await hand.claim(10), await claimAny(hand)], [[], []])
    await resume(store, pause)
    assert.deepEqual(idsOf(await claimAny(hand)), [held!.id])
  },

  'C7 a queue that is paused takes jobs in, and none of them leaves': async (store, clock) => {
    const worker = await Hand.register(store)
    await paused(store)
    const [plain, urgent, late] = [chore(), chore({ priority: 0 }), chore({ delayMs: SECOND })]
    await store.insert([plain, urgent, late])
    clock.advance(HOUR)
    for (let i = 0; i < 3; i++)
      assert.deepEqual([await worker.claim(10), await claimAny(worker)], [[], []])
    const { ready, scheduled } = only(await store.tally())
    assert.deepEqual([ready, scheduled], [3, 0])
  },

  'C7 what runs as its queue is paused goes on, and what comes back waits there': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    await store.insert(chores(3))
    const [one, two, three] = await worker.claim(3)
    assert(one && two && three)
    const pause = await paused(store)
    assert.deepEqual(accepted(await worker.repeat(worker.n, [], 3)).jobs, [one, two, three])
    assert.equal(await worker.settle(one, completed()), 'done')
    assert.equal(await worker.settle(two, released()), 'done')
    assert.equal(await worker.settle(three, again(SECOND)), 'done')
    clock.advance(SECOND)
    assert.deepEqual(await worker.claim(3), [])
    assert.equal((await seen(store, three.id)).state, 'ready')
    await resume(store, pause)
    assert.deepEqual(idsOf(await worker.claim(3)), idsOf([two, three]))
  },

  'C7 once resumed, jobs leave in the order in which they would have left': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const early = chores(3)
    await store.insert(early)
    const pause = await paused(store)
    clock.advance(SECOND)
    const [late, urgent] = [chores(2), chore({ priority: 0 })]
    await store.insert([...late, urgent])
    assert.deepEqual(await worker.claim(10), [])
    await resume(store, pause)
    assert.deepEqual(idsOf(await worker.claim(10)), idsOf([urgent, ...early, ...late]))
  },

  'C7 other queues take turns as if there were none that is paused': async (store) => {
    const worker = await Hand.register(store)
    for (const queue of ['a', 'b', 'c']) await store.insert(chores(20, { queue }))
    await paused(store, 'a')
    const left: string[] = []
    for (let i = 0; i < 6; i++) left.push(...(await claimAny(worker, 1)).map(({ queue }) => queue))
    assert.deepEqual(left.slice(0, 2).toSorted(), ['b', 'c'])
    assert.deepEqual(left, Array.from({ length: 3 }, () => left.slice(0, 2)).flat())
  },

  'C7 a worker that died leaves its job to others though its queue is paused': async (store) => {
    const [dead, alive] = [await Hand.register(store), await Hand.register(store)]
    const job = await running(store, dead, chore())
    await paused(store)
    await store.retire(dead.id)
    const taken = only(await alive.sweep())
    assert.equal(taken.id, job.id)
    assert.equal(await alive.settle(taken, completed()), 'done')
  },

  'C7 a job in a queue that is paused is cancelled as ever, asked before or not': async (store) => {
    const worker = await Hand.register(store)
    const [asked, plain] = [await running(store, worker, chore()), chore()]
    await store.cancel(cancels([asked.id]))
    await paused(store)
    await worker.settle(asked, released())
    await store.insert([plain])
    assert.deepEqual(await worker.claim(2), [])
    const ids = [asked.id, plain.id]
    assert.deepEqual(await store.cancel(cancels(ids)), ['cancelled', 'cancelled'])
  },

  'C9 a queue that is paused keeps nobody looking again': async (store, clock) => {
    const worker = await Hand.register(store)
    await paused(store)
    await store.insert([...chores(3), chore({ delayMs: SECOND })])
    const nextDueMs = async () => accepted(await worker.exchange([], 5)).nextDueMs
    assert.equal(await nextDueMs(), SECOND)
    clock.advance(2 * SECOND)
    assert.equal(await nextDueMs(), undefined)
    assert.equal(await nextDueMs(), undefined)
  },

  'C9 those who listen hear that a queue was resumed': async (store) => {
    const worker = await Hand.register(store)
    const pause = await paused(store)
    await rings(store, 'ready', () => store.insert(chores(2)))
    assert.deepEqual(await worker.claim(2), [])
    await rings(store, 'ready', () => resume(store, pause))
    assert.equal((await worker.claim(2)).length, 2)
  },

  'C18 an entry of another kind pauses nothing': async (store) => {
    const worker = await Hand.register(store)
    await put(store, change({ name: 'default' }))
    await store.insert(chores(1))
    assert.equal((await claimAny(worker)).length, 1)
  },
}
