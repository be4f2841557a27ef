import assert from 'node:assert/strict'
import { Hand, only, running, seen } from '../../support/hand.ts'
import {
  again,
  bytes,
  cancelled,
  chore,
  completed,
  failed,
  parked,
  released,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const attempt: Clauses = {
  'C10 each attempt that did not complete is remembered, in order': async (store, clock) => {
    const worker = await Hand.register(store)
    const { id } = await running(store, worker, chore())
    let held = await seen(store, id)
    const fences: number[] = []
    for (const outcome of [
      again(0),
      again(0, 'crashes'),
      again(0, 'losses'),
      failed({ reason: 'timeout', error: bytes('last') }),
    ]) {
      fences.push(held.fence)
      clock.advance(1000)
      await worker.settle(held, outcome)
      if (outcome.to === 'scheduled') held = await seen(store, (await worker.claimOne()).id)
    }
    const attempts = await store.attempts(id)
    assert.deepEqual(
      attempts.map(({ fence }) => fence),
      fences,
    )
    assert.deepEqual(
      attempts.map(({ error }) => textOf(error)),
      ['broken', 'broken', 'broken', 'last'],
    )
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ['error', 'crashed', 'lost', 'timeout'],
    )
    for (const one of attempts)
      assert.deepEqual([one.worker, one.endedAt - one.startedAt], [worker.id, 1000])
  },

  'C10 an attempt cancelled while it ran is remembered': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, cancelled())
    assert.equal(only(await store.attempts(job.id)).fence, job.fence)
  },

  'C10 releases, parking and completion are no attempts that went wrong': async (store) => {
    const worker = await Hand.register(store)
    const job = chore()
    await store.insert([job])
    await worker.settle(await worker.claimOne(), released())
    await worker.settle(await worker.claimOne(), parked())
    await store.unpark(['chore'])
    await worker.settle(await worker.claimOne(), completed())
    assert.deepEqual(await store.attempts(job.id), [])
  },

  'C10 a run that was cut off uncounted is remembered, one that never began is not': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    const { id } = await running(store, worker, chore())
    await worker.settle(await seen(store, id), released(true))
    await worker.settle(await worker.claimOne(), released(false))
    assert.equal(only(await store.attempts(id)).outcome, 'released')
    assert.equal((await seen(store, id)).failures, 0)
  },
}
