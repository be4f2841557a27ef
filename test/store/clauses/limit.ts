import assert from 'node:assert/strict'
import type { Claimed, JobId } from '../../../src/job/job.ts'
import { toAdoptees } from '../../../src/job/moving.ts'
import { adoptee, copyAll } from '../../support/copies.ts'
import { accepted, Hand, idsOf, only, seen } from '../../support/hand.ts'
import {
  again,
  bytes,
  cancelled,
  cancels,
  chore,
  chores,
  completed,
  failed,
  HOUR,
  parked,
  released,
  suspended,
} from '../../support/jobs.ts'
import { batchOf } from '../../support/batches.ts'
import { claimedIds, crowd, held, limited, one } from '../../support/limited.ts'
import type { Clauses } from '../conform.ts'

export const limits: Clauses = {
  'C17 no more jobs of a key run than it has places, whoever asks': async (store) => {
    const [hand, other] = [await Hand.register(store), await Hand.register(store)]
    const jobs = limited(5, [one('a', 2)])
    await store.insert(jobs)
    await store.insert(chores(1))
    const claims = await Promise.all([hand.claim(10), other.claim(10), hand.claim(10)])
    assert.equal(claims.flat().length, 3)
    const third = await seen(store, jobs[4]!.id)
    assert.deepEqual([third.state, third.heldBy, third.limits], ['ready', 'a', [one('a', 2)]])
    assert.equal(await held(store, jobs[0]!.id), undefined)
  },

  'C17 whatever a job leaves gives its place to the next': async (store) => {
    const exits = [
      completed({ result: bytes('1') }),
      failed(),
      cancelled(),
      again(HOUR),
      parked(),
      suspended(),
      completed(),
    ]
    const { hand, ids } = await crowd(store, exits.length + 1)
    for (const [i, outcome] of exits.entries()) {
      const job = only(await hand.claim(10))
      assert.equal(job.id, ids[i])
      await hand.settle(job, outcome)
    }
    assert.deepEqual(await claimedIds(hand), [ids.at(-1)])
  },

  'C17 a place is handed on in the exchange that gives it back': async (store) => {
    const { hand, ids } = await crowd(store, 3)
    const first = only(await hand.claim(10))
    const settlement = { id: first.id, fence: first.fence, outcome: completed() }
    const { jobs } = accepted(await hand.exchange([settlement], 10))
    assert.deepEqual(idsOf(jobs), [ids[1]])
  },

  'C17 who is released, or tried again at once, keeps its place': async (store) => {
    const { hand, ids } = await crowd(store, 2)
    for (const outcome of [released(true), again(0)]) {
      await hand.settle(only(await hand.claim(10)), outcome)
      assert.equal(await held(store, ids[1]!), 'a')
    }
    assert.deepEqual(await claimedIds(hand), [ids[0]])
  },

  'C17 the next of a line is the most urgent, then the first that became ready': async (
    store,
    clock,
  ) => {
    const hand = await Hand.register(store)
    const [first] = limited(1, [one('a')])
    const [late] = limited(1, [one('a')], { delayMs: 20 })
    const [early] = limited(1, [one('a')], { delayMs: 10 })
    const [urgent] = limited(1, [one('a')], { priority: 0, queue: 'other' })
    await store.insert([first!, late!, early!])
    clock.advance(5)
    await store.insert([urgent!])
    clock.advance(20)
    const order: JobId[] = []
    for (let i = 0; i < 4; i++) {
      const job = only(await hand.claim(10, 'default', 'other'))
      order.push(job.id)
      await hand.settle(job, completed())
    }
    assert.deepEqual(order, idsOf([first!, urgent!, early!, late!]))
  },

  'C17 a job of several keys needs a place of each, and stands in the line of one that has none':
    async (store) => {
      const hand = await Hand.register(store)
      const [a] = limited(1, [one('a')])
      const [b] = limited(1, [one('b')])
      const [both] = limited(1, [one('a'), one('b')])
      await store.insert([a!, b!, both!])
      const running = await hand.claim(10)
      assert.equal(await held(store, both!.id), 'a')
      await hand.settle(running[0]!, completed())
      assert.deepEqual([await claimedIds(hand), await held(store, both!.id)], [[], 'b'])
      const [next] = limited(1, [one('a')])
      await store.insert([next!])
      assert.deepEqual(await claimedIds(hand), [next!.id])
      await hand.settle(running[1]!, completed())
      assert.deepEqual([await claimedIds(hand), await held(store, both!.id)], [[], 'a'])
    },

  'C17 a job that is due, woken, unparked or retried needs a place as well': async (
    store,
    clock,
  ) => {
    const hand = await Hand.register(store)
    const ways: ((job: Claimed) => Promise<unknown>)[] = [
      async (job) => {
        await hand.settle(job, again(10))
        clock.advance(10)
      },
      async (job) => {
        await hand.settle(job, suspended({ wakeAt: clock.now() + 10 }))
        clock.advance(10)
      },
      async (job) => {
        await hand.settle(job, suspended({ one: ['go'] }))
        await store.post([{ to: job.id, name: 'go', key: '', value: bytes('1') }])
      },
      async (job) => {
        await hand.settle(job, parked())
        await store.unpark(['chore'])
      },
      async (job) => {
        await hand.settle(job, failed())
        await store.retry([job.id])
      },
    ]
    for (const [i, away] of ways.entries()) {
      const key = `k${i}`
      const [first, second] = limited(2, [one(key)])
      await store.insert([first!, second!])
      await away(only(await hand.claim(10)))
      const [running] = await hand.claim(10)
      assert.deepEqual([running?.id, await held(store, first!.id)], [second!.id, key], `way ${i}`)
      await hand.settle(running!, completed())
      await hand.settle(only(await hand.claim(10)), completed())
    }
  },

  'C17 a job that is cancelled while it is held leaves the line; one that has a place gives it back':
    async (store) => {
      const { hand, ids } = await crowd(store, 4)
      await store.cancel(cancels([ids[1]!]))
      await store.cancel(cancels([ids[0]!]))
      assert.deepEqual(await claimedIds(hand), [ids[2]])
      const found = await seen(store, ids[1]!)
      assert.deepEqual([found.state, found.heldBy], ['cancelled', undefined])
    },

  'C17 a dead worker keeps its places until its jobs are settled': async (store, clock) => {
    const { hand, ids } = await crowd(store, 2)
    await hand.claim(1)
    const other = await Hand.register(store)
    await store.retire(hand.id)
    const [taken] = await other.sweep()
    assert.deepEqual([taken?.id, await claimedIds(other)], [ids[0], []])
    await other.settle(taken!, completed())
    assert.deepEqual(await claimedIds(other), [ids[1]])
    clock.advance(1)
  },

  'C17 a key takes no more than may wait, and says which key that is; those that run do not count':
    async (store) => {
      const hand = await Hand.register(store)
      const limit = [{ key: 'mail', pending: 2 }]
      const jobs = limited(3, limit)
      const answers = await store.insert(jobs)
      assert.deepEqual(answers, [
        { id: jobs[0]!.id, joined: false },
        { id: jobs[1]!.id, joined: false },
        { id: jobs[2]!.id, refused: 'LIMIT_REACHED', key: 'mail' },
      ])
      assert.deepEqual(await store.find([jobs[2]!.id]), [undefined])
      const running = await hand.claim(1)
      assert.deepEqual(await store.insert([jobs[2]!]), [{ id: jobs[2]!.id, joined: false }])
      await hand.settle(running[0]!, again(HOUR))
      const [more] = limited(1, limit)
      assert.partialDeepStrictEqual(await store.insert([more!]), [{ refused: 'LIMIT_REACHED' }])
      assert.equal((await hand.claim(10)).length, 2)
    },

  'C17 a repeat finds its job although no more may wait': async (store) => {
    const limit = [{ key: 'mail', pending: 1 }]
    const unique = { value: 'u', until: 'end', onConflict: 'join' } as const
    const [first] = limited(1, limit, { unique, fingerprint: 'f' })
    const [second] = limited(1, limit, { unique })
    await store.insert([first!])
    assert.deepEqual(await store.insert([first!, second!]), [
      { id: first!.id, joined: true },
      { id: first!.id, joined: true },
    ])
  },

  'C17 what an end brings with it is taken although no more may wait': async (store) => {
    const hand = await Hand.register(store)
    const limit = [{ key: 'mail', pending: 1 }]
    await store.insert(chores(1))
    const job = await hand.claimOne()
    await store.insert(limited(1, limit))
    const [hook] = limited(1, limit, { subject: job.id })
    await hand.settle(job, completed({ hook: hook! }))
    assert.equal((await seen(store, hook!.id)).state, 'ready')
  },

  'C17 jobs that are held are listed as ready, after those in line': async (store) => {
    const { ids } = await crowd(store, 3)
    const found: JobId[] = []
    let cursor: string | undefined
    do {
      const page = await store.list({ state: 'ready' }, 2, cursor)
      found.push(...idsOf(page.jobs))
      cursor = page.next
    } while (cursor !== undefined)
    assert.deepEqual(found, ids)
    const tally = only(await store.tally())
    assert.equal(tally.ready, 3)
  },

  'C17 what an end brings is limited as any other': async (store) => {
    const hand = await Hand.register(store)
    const jobs = chores(2)
    await store.insert(jobs)
    const limits = [one('a')]
    for (const job of await hand.claim(2))
      await hand.settle(
        job,
        completed({ hook: chore({ subject: job.id, queue: 'hooks', limits }) }),
      )
    assert.equal((await hand.claim(10, 'hooks')).length, 1)
    const made = batchOf()
    const end = chore({ queue: 'hooks', limits, subject: made.id })
    await store.changeBatch(made.id, { to: 'open', batch: { ...made, end } })
    await store.changeBatch(made.id, { to: 'closed' })
    assert.deepEqual(await hand.claim(10, 'hooks'), [])
    assert.deepEqual(await store.verify(), [])
  },

  'C17 limits go with their job to another store': async (store, clock) => {
    const { hand, ids } = await crowd(store, 3)
    const { jobs } = await copyAll(store)
    assert.deepEqual(
      jobs.map((job) => job.limits),
      ids.map(() => [one('a')]),
    )
    await hand.settle(only(await hand.claim(10)), completed())
    const [first, second] = [0, 1].map(() =>
      adoptee(clock.now(), { queue: 'moved', limits: [one('b')] }),
    )
    await store.adopt([first!, second!])
    assert.equal((await hand.claim(10, 'moved')).length, 1)
    assert.equal(await held(store, second!.id), 'b')
    assert(jobs.flatMap((job) => toAdoptees(job, clock.now())).every((job) => !('heldBy' in job)))
  },
}
