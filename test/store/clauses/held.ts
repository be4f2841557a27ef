import assert from 'node:assert/strict'
import { accepted, Hand, idsOf, only, seen } from '../../support/hand.ts'
import { batchOf, close, itemsOf, LAST, open } from '../../support/batches.ts'
import {
  bytes,
  cancelled,
  cancels,
  chore,
  chores,
  completed,
  released,
} from '../../support/jobs.ts'
import { claimedIds, crowd, held, limited, one } from '../../support/limited.ts'
import type { Clauses } from '../conform.ts'

export const heldJobs: Clauses = {
  'C17 who leaves the head of a line lets those behind it pass who are content with less': async (
    store,
  ) => {
    const hand = await Hand.register(store)
    const [first, strict, lenient] = [3, 1, 3].map((running) =>
      only(limited(1, [one('a', running)])),
    )
    await store.insert([first!, strict!, lenient!])
    assert.deepEqual(await claimedIds(hand), [first!.id])
    await store.cancel(cancels([strict!.id]))
    assert.deepEqual(await claimedIds(hand), [lenient!.id])
  },

  'C17 jobs with keys and without come in together, whatever their queues': async (store) => {
    const hand = await Hand.register(store)
    const jobs = [...chores(1, { queue: 'other' }), ...limited(2, [one('a')]), ...chores(1)]
    await store.insert(jobs)
    const claimed = await hand.claim(10, 'default', 'other')
    assert.deepEqual(idsOf(claimed), idsOf([jobs[1]!, jobs[3]!, jobs[0]!]))
    assert.deepEqual((await store.tally()).map(({ queue }) => queue).toSorted(), [
      'default',
      'other',
    ])
  },

  'C17 however many come at once, all that find a place may be claimed': async (store) => {
    const hand = await Hand.register(store)
    await store.insert(limited(1200, [one('a', 5000)]))
    const claimed = [await claimedIds(hand, 1000), await claimedIds(hand, 1000)]
    assert.deepEqual(
      claimed.map(({ length }) => length),
      [1000, 200],
    )
  },

  'C17 of those who were handed places by one exchange, it claims who is asked for, in their order':
    async (store) => {
      const { hand, ids } = await crowd(store, 3, [one('a', 3)])
      const running = await hand.claim(3)
      assert.deepEqual(idsOf(running), ids)
      const [elsewhere, late, soon] = [
        { queue: 'other', priority: 1 },
        { priority: 7 },
        { priority: 2 },
      ].map((over) => only(limited(1, [one('a', 3)], over)))
      await store.insert([elsewhere!, late!, soon!])
      const ends = running.map(({ id, fence }) => ({ id, fence, outcome: completed() }))
      const { jobs } = accepted(await hand.exchange(ends, 1))
      assert.deepEqual(idsOf(jobs), [soon!.id])
      assert.deepEqual(idsOf(await hand.claim(10, 'default', 'other')), [late!.id, elsewhere!.id])
      assert.deepEqual(await store.verify(), [])
    },

  'C17 who moves to the line of another key takes a place of each of its keys': async (store) => {
    const hand = await Hand.register(store)
    const jobs = [['a'], ['b'], ['b'], ['a', 'b'], ['a']] as const
    const [first, second, third, both, last] = jobs.map((keys) =>
      only(
        limited(
          1,
          keys.map((key) => one(key)),
        ),
      ),
    )
    await store.insert([first!, second!])
    const [inA, inB] = await hand.claim(2)
    for (const job of [third!, both!]) await store.insert([job])
    await hand.settle(inA!, completed())
    assert.equal(await held(store, both!.id), 'b')
    await hand.settle(inB!, completed())
    const next = await hand.claimOne()
    assert.equal(next.id, third!.id)
    await hand.settle(next, completed())
    await store.insert([last!])
    assert.deepEqual(await claimedIds(hand), [both!.id])
    assert.deepEqual(await store.verify(), [])
  },

  'C17 those who are handed places of several keys leave as they came, the more urgent first':
    async (store) => {
      const hand = await Hand.register(store)
      for (const key of ['a', 'b', 'c']) await store.insert(limited(1, [one(key)]))
      const running = await hand.claim(3)
      const waiting = [['b'], ['c'], ['a'], ['c', 1], ['a', 1]] as const
      const jobs = waiting.map(([key, priority = 5]) => only(limited(1, [one(key)], { priority })))
      for (const job of jobs) await store.insert([job])
      const ends = running.map(({ id, fence }) => ({ id, fence, outcome: completed() }))
      const { jobs: claimed } = accepted(await hand.exchange(ends, 10))
      assert.deepEqual(idsOf(claimed), idsOf([jobs[3]!, jobs[4]!, jobs[0]!]))
    },

  'C17 who is handed a place comes with its mail, and a hook with its subject': async (store) => {
    const { hand, ids } = await crowd(store, 2)
    const job = await hand.claimOne()
    await store.post([{ to: ids[1]!, name: 'go', key: '', value: bytes('1') }])
    // Behind it is one that is content with less: not all in its line are alike.
    await store.insert(limited(1, [one('a', 3)]))
    const hook = only(limited(1, [one('b')], { subject: job.id }))
    await store.insert(limited(1, [one('b')]))
    const first = await hand.claimOne()
    const ends = [
      { id: job.id, fence: job.fence, outcome: completed({ hook }) },
      { id: first.id, fence: first.fence, outcome: completed() },
    ]
    const { jobs } = accepted(await hand.exchange(ends, 10))
    const [mailed, told] = [ids[1], hook.id].map((id) => jobs.find((one) => one.id === id))
    assert.deepEqual([mailed?.mail?.length, told?.subject?.input], [1, job.input])
  },

  'C17 who is handed a place leaves after the job at the end of a batch, if that came in first':
    async (store) => {
      const hand = await Hand.register(store)
      const made = batchOf({ end: chore({ id: LAST }) })
      await open(store, made)
      await store.fillBatch(made.id, itemsOf(made.id, 1, { limits: [one('a')] }))
      await close(store, made.id)
      const behind = only(limited(1, [one('a')]))
      await store.insert([behind])
      const item = await hand.claimOne()
      const end = { id: item.id, fence: item.fence, outcome: completed() }
      const { jobs } = accepted(await hand.exchange([end], 1))
      const others = await claimedIds(hand)
      assert.deepEqual([...idsOf(jobs), ...others].length, 2)
      assert(others.concat(idsOf(jobs)).includes(behind.id))
      assert.deepEqual(await store.verify(), [])
    },

  'C17 a limited job comes with its steps and its mail': async (store) => {
    const { hand, ids } = await crowd(store, 1)
    await store.post([{ to: ids[0]!, name: 'go', key: '', value: bytes('1') }])
    const job = only(await hand.claim(10))
    assert.deepEqual([job.mail?.length, job.steps], [1, undefined])
    await hand.note(job, { step: { name: 's', value: bytes('2') } })
    await hand.settle(job, released(true))
    const again = only(await hand.claim(10))
    assert.deepEqual([again.mail?.length, again.steps?.length], [1, 1])
  },

  'C17 three keys may be as long as a key can be': async (store) => {
    const long = ['a', 'b', 'c'].map((letter) => one(`${letter}${'漢'.repeat(99)}`))
    const { hand, ids } = await crowd(store, 2, long)
    await hand.settle(only(await hand.claim(10)), released(true))
    await hand.settle(only(await hand.claim(10)), completed())
    assert.deepEqual(await claimedIds(hand), [ids[1]])
    assert.deepEqual((await seen(store, ids[1]!)).limits, long)
  },

  'C17 a job that a cancel brings keeps its limits': async (store) => {
    const { ids } = await crowd(store, 2)
    const [hook] = limited(1, [one('a')], { subject: ids[1]! })
    await store.cancel([{ id: ids[1]!, outcome: { ...cancelled(), hook: hook! } }])
    assert.equal(await held(store, hook!.id), 'a')
  },
}
