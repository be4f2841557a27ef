import assert from 'node:assert/strict'
import { accepted, Hand, idsOf, running, seen } from '../../support/hand.ts'
import { again, bytes, chore, HOUR, released, SECOND, textOf } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const due: Clauses = {
  'C9 a delayed job is handed out when it is due and no sooner': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = chore({ delayMs: HOUR })
    await store.insert([job])
    const { state, runAt } = await seen(store, job.id)
    assert.deepEqual([state, runAt], ['scheduled', clock.now() + HOUR])

    clock.advance(HOUR - 1)
    assert.deepEqual(await worker.claim(), [])
    clock.advance(1)
    assert.equal((await worker.claimOne()).id, job.id)
  },

  'C9 a job for a moment is handed out at that moment': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = chore({ runAt: clock.now() + HOUR })
    await store.insert([job])
    clock.advance(HOUR - 1)
    assert.deepEqual(await worker.claim(), [])
    clock.advance(1)
    assert.equal((await worker.claimOne()).runAt, clock.now())
  },

  'C9 a moment that has passed and no delay at all mean now': async (store, clock) => {
    const worker = await Hand.register(store)
    const jobs = [chore({ runAt: clock.now() - HOUR }), chore({ delayMs: 0 })]
    await store.insert(jobs)
    for (const job of await store.find(idsOf(jobs))) assert.equal(job?.state, 'ready')
    assert.equal((await worker.claim(5)).length, 2)
  },

  'C9 a failed attempt is repeated after its delay': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, again(60 * SECOND))
    const { state, runAt, error } = await seen(store, job.id)
    assert.deepEqual(
      [state, runAt, textOf(error)],
      ['scheduled', clock.now() + 60 * SECOND, 'broken'],
    )
    clock.advance(60 * SECOND - 1)
    assert.deepEqual(await worker.claim(), [])
    clock.advance(1)
    const next = await worker.claimOne()
    assert.deepEqual([next.id, next.failures], [job.id, 1])
  },

  'C9 an attempt repeated without delay is ready at once': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    clock.advance(SECOND)
    await worker.settle(job, again(0, 'losses'))
    const { state, runAt } = await seen(store, job.id)
    assert.deepEqual([state, runAt], ['ready', clock.now()])
    assert.equal((await worker.claimOne()).id, job.id)
  },

  'C9 the reply says when the next delayed job is due': async (store, clock) => {
    const worker = await Hand.register(store)
    assert.equal(accepted(await worker.exchange([], 1)).nextDueMs, undefined)
    await store.insert([chore({ delayMs: HOUR }), chore({ delayMs: 20 * SECOND, queue: 'mail' })])
    clock.advance(SECOND)
    const reply = accepted(await worker.exchange([], 1))
    assert.deepEqual([reply.nextDueMs, reply.now], [19 * SECOND, clock.now()])
  },

  'C9 many jobs due at once are all handed out': async (store, clock) => {
    const worker = await Hand.register(store)
    const jobs = Array.from({ length: 500 }, (_, i) =>
      chore({ delayMs: 1 + (i % 7), input: bytes(`${i}`) }),
    )
    await store.insert(jobs)
    clock.advance(SECOND)
    const taken = new Set(idsOf(await worker.claim(300)))
    for (const id of idsOf(await worker.claim(300))) taken.add(id)
    assert.equal(taken.size, 500)
  },

  'C9 a job that had begun in time does not expire when it is handed back uncounted': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const [begun, fetched] = [chore({ expiresInMs: HOUR }), chore({ expiresInMs: HOUR })]
    await store.insert([begun, fetched])
    const [first, second] = await worker.claim(2)
    assert(first && second)
    await worker.settle(first, released(true))
    await worker.settle(second, released(false))
    clock.advance(2 * HOUR)
    const expiry = (await worker.claim(2)).map(({ id, expiresAt }) => [id, expiresAt !== undefined])
    assert.deepEqual(expiry, [
      [begun.id, false],
      [fetched.id, true],
    ])
  },
}
