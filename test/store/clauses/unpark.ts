import assert from 'node:assert/strict'
import { Hand, running, seen } from '../../support/hand.ts'
import { chore, HOUR, parked } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const unpark: Clauses = {
  'C9 a parked job waits uncounted and is handed to nobody': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ job: 'rare' }))
    assert.equal(await worker.settle(job, parked()), 'done')
    const { state, waitingFor, failures, crashes, losses } = await seen(store, job.id)
    assert.deepEqual([state, waitingFor], ['waiting', 'handler'])
    assert.deepEqual([failures, crashes, losses], [0, 0, 0])
    clock.advance(HOUR)
    assert.deepEqual(await worker.claim(5), [])
  },

  'C9 parked jobs of a name become ready when a worker knows it': async (store) => {
    const worker = await Hand.register(store)
    const rare = await running(store, worker, chore({ job: 'rare' }))
    const odd = await running(store, worker, chore({ job: 'odd' }))
    const other = await running(store, worker, chore({ job: 'other' }))
    for (const job of [rare, odd, other]) await worker.settle(job, parked())

    assert.equal(await store.unpark(['rare', 'odd', 'unheard-of']), 2)
    assert.equal(await store.unpark(['rare', 'odd']), 0)
    assert.equal(await store.unpark([]), 0)
    const { state, waitingFor } = await seen(store, rare.id)
    assert.deepEqual([state, waitingFor], ['ready', undefined])
    assert.equal((await worker.claim(5)).length, 2)
    assert.equal((await seen(store, other.id)).state, 'waiting')
  },
}
