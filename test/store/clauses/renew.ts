import assert from 'node:assert/strict'
import { Hand, LEASE_MS, only, pass, running } from '../../support/hand.ts'
import { bytes, cancels, chore, chores, completed, DAY, HOUR } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const renew: Clauses = {
  'C3 a worker that renews late still holds its fences': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    clock.advance(HOUR)
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [] })
    assert.equal(await worker.note(job, { progress: bytes('1') }), 'done')
    assert.equal(await worker.settle(job, completed()), 'done')
  },

  'C3 a worker that nobody swept settles without renewing': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    clock.advance(HOUR)
    assert.equal(await worker.settle(job, completed()), 'done')
  },

  'C3 a renewal pushes the lease away': async (store, clock) => {
    const worker = await Hand.register(store)
    assert.equal(only(await store.workers()).leaseUntil, clock.now() + LEASE_MS)
    clock.advance(LEASE_MS / 2)
    await worker.renew()
    const { leaseUntil, alive } = only(await store.workers())
    assert.deepEqual([leaseUntil, alive], [clock.now() + LEASE_MS, true])
  },

  'C3 an unknown worker cannot renew': async (store) => {
    assert.deepEqual(await new Hand(store).renew(), { alive: false })
  },

  'C3 a renewal names the jobs whose cancel was asked, until they are settled': async (store) => {
    const [worker, other] = [await Hand.register(store), await Hand.register(store)]
    await store.insert(chores(3))
    const [asked, spared] = await worker.claim(2)
    const [foreign] = await other.claim(1)
    assert(asked && spared && foreign)
    assert.deepEqual(await store.cancel(cancels([asked.id, foreign.id])), ['asked', 'asked'])
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [asked.id] })
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [asked.id] })
    await worker.settle(asked, { to: 'cancelled', keepMs: DAY })
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [] })
    assert.deepEqual(await other.renew(), { alive: true, cancelAsked: [foreign.id] })
  },

  'C6 a cancel that was asked follows the job to its next holder': async (store, clock) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    const job = await running(store, dead, chore())
    await store.cancel(cancels([job.id]))
    await pass(clock, 2 * LEASE_MS, sweeper)
    await sweeper.sweep()
    assert.deepEqual(await sweeper.renew(), { alive: true, cancelAsked: [job.id] })
  },
}
