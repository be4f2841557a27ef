import assert from 'node:assert/strict'
import { Hand, idsOf, only, running } from '../../support/hand.ts'
import { again, chore, chores, failed, HOUR, released, SECOND } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const order: Clauses = {
  'C7 jobs leave by priority': async (store) => {
    const worker = await Hand.register(store)
    const jobs = [7, 0, 9, 5, 2].map((priority) => chore({ priority }))
    await store.insert(jobs)
    const left = (await worker.claim(5)).map(
      ({ id }) => jobs.find((job) => job.id === id)?.priority,
    )
    assert.deepEqual(left, [0, 2, 5, 7, 9])
  },

  'C7 jobs of one call leave in its order, calls in theirs': async (store) => {
    const worker = await Hand.register(store)
    const [early, late] = [chores(20), chores(20)]
    await store.insert(early)
    await store.insert(late)
    const left = [...(await worker.claim(15)), ...(await worker.claim(25))]
    assert.deepEqual(idsOf(left), idsOf([...early, ...late]))
  },

  'C7 a delayed job takes its place by the moment it became ready': async (store, clock) => {
    const worker = await Hand.register(store)
    const [delayed, early, late] = [chore({ delayMs: 2 * SECOND }), chore(), chore()]
    await store.insert([delayed, early])
    clock.advance(3 * SECOND)
    await store.insert([late])
    assert.deepEqual(idsOf(await worker.claim(3)), idsOf([early, delayed, late]))
  },

  'C7 delayed jobs leave in the order in which they became due': async (store, clock) => {
    const worker = await Hand.register(store)
    const jobs = [5, 1, 3, 2, 4].map((seconds) => chore({ delayMs: seconds * SECOND }))
    await store.insert(jobs)
    clock.advance(HOUR)
    const left = (await worker.claim(5)).map(({ id }) => jobs.find((job) => job.id === id)?.delayMs)
    assert.deepEqual(
      left,
      [1, 2, 3, 4, 5].map((seconds) => seconds * SECOND),
    )
  },

  'C7 an urgent job leaves before others that have waited longer': async (store, clock) => {
    const worker = await Hand.register(store)
    await store.insert(chores(3))
    clock.advance(HOUR)
    const urgent = chore({ priority: 1 })
    await store.insert([urgent])
    assert.equal((await worker.claimOne()).id, urgent.id)
  },

  'C7 a released job is the next to leave': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    clock.advance(SECOND)
    await store.insert(chores(3))
    clock.advance(SECOND)
    await worker.settle(job, released())
    const next = await worker.claimOne()
    assert.deepEqual([next.id, next.runAt], [job.id, job.runAt])
  },

  'C7 a repeated attempt and a retried job queue behind those that wait': async (store, clock) => {
    const worker = await Hand.register(store)
    await store.insert(chores(2))
    const [first, second] = await worker.claim(2)
    assert(first && second)
    await worker.settle(first, failed())
    await worker.settle(second, again(SECOND))
    const waiting = chore()
    await store.insert([waiting])
    clock.advance(SECOND)
    assert.deepEqual(await store.retry([first.id]), ['retried'])
    assert.equal((await worker.claimOne()).id, waiting.id)
    assert.equal((await worker.claim(5)).length, 2)
  },

  'C7 queues are emptied in the order of the claim': async (store) => {
    const worker = await Hand.register(store)
    const [slow, quick] = [chores(3, { queue: 'slow', priority: 0 }), chores(3, { queue: 'quick' })]
    await store.insert([...slow, ...quick])
    assert.deepEqual(
      idsOf(await worker.claim(4, 'quick', 'slow')),
      idsOf([...quick, ...slow.slice(0, 1)]),
    )
    assert.equal(only(await worker.claim(1, 'slow', 'quick')).queue, 'slow')
  },
}
