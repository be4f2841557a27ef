import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { accepted, Hand, idsOf, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
import { again, chore, chores, completed, DAY, HOUR } from '../../support/jobs.ts'
import { addUp } from '../../support/metrics.ts'
import type { Clauses } from '../conform.ts'

export const sweep: Clauses = {
  'C6 a sweep takes over under a new fence and decides nothing': async (store, clock) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    const job = await running(store, dead, chore())
    await pass(clock, 2 * LEASE_MS, sweeper)
    const taken = only(await sweeper.sweep())
    assert.equal(taken.id, job.id)
    assert(taken.fence > job.fence)

    const { state, worker, fence, failures, crashes, losses } = await seen(store, job.id)
    assert.deepEqual([state, worker, fence], ['running', sweeper.id, taken.fence])
    assert.deepEqual([failures, crashes, losses], [0, 0, 0])
    assert.equal(await sweeper.settle(taken, again(0, 'losses')), 'done')
    assert.equal((await sweeper.claimOne()).losses, 1)
  },

  'C6 a sweep leaves jobs of living workers alone': async (store, clock) => {
    const [living, sweeper] = [await Hand.register(store), await Hand.register(store)]
    const job = await running(store, living, chore())
    await pass(clock, 4 * LEASE_MS, living, sweeper)
    assert.deepEqual(await sweeper.sweep(), [])
    assert.equal(await living.settle(job, completed()), 'done')
  },

  'C6 a sweep leaves jobs alone until the lease of their worker has run out': async (
    store,
    clock,
  ) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    await pass(clock, 2 * LEASE_MS, dead, sweeper)
    await running(store, dead, chore())
    await pass(clock, LEASE_MS - 1, sweeper)
    assert.deepEqual(await sweeper.sweep(), [])
    await pass(clock, 2, sweeper)
    assert.equal((await sweeper.sweep()).length, 1)
  },

  'C6 a worker whose own lease has not lasted takes nothing': async (store, clock) => {
    const dead = await Hand.register(store)
    await running(store, dead, chore())
    clock.advance(HOUR)
    const fresh = await Hand.register(store)
    assert.deepEqual(await fresh.sweep(), [])
    await pass(clock, LEASE_MS - 1, fresh)
    assert.deepEqual(await fresh.sweep(), [])
    await pass(clock, 1, fresh)
    assert.equal((await fresh.sweep()).length, 1)
  },

  'C6 after an outage everybody renews before anybody sweeps': async (store, clock) => {
    const [one, two] = [await Hand.register(store), await Hand.register(store)]
    await pass(clock, 2 * LEASE_MS, one, two)
    const job = await running(store, one, chore())
    clock.advance(HOUR)
    assert.deepEqual(await two.sweep(), [])
    await two.renew()
    assert.deepEqual(await two.sweep(), [])
    await one.renew()
    await pass(clock, 2 * LEASE_MS, one, two)
    assert.deepEqual(await two.sweep(), [])
    assert.equal(await one.settle(job, completed()), 'done')
  },

  'C6 the swept worker is gone for good': async (store, clock) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    await running(store, dead, chore())
    await pass(clock, 2 * LEASE_MS, sweeper)
    await sweeper.sweep()
    await store.insert(chores(1))
    assert.deepEqual(await dead.renew(), { alive: false })
    assert.deepEqual(await dead.exchange([], 1), { refused: 'gone' })
    assert.deepEqual(await store.sweep(dead.id, ++dead.n, 1), { refused: 'gone' })
  },

  'C6 a repeated sweep gives the same jobs': async (store, clock) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    await store.insert(chores(5))
    await dead.claim(5)
    await pass(clock, 2 * LEASE_MS, sweeper)
    const first = accepted(await store.sweep(sweeper.id, 1, 2)).jobs
    assert.equal(first.length, 2)
    assert.deepEqual(accepted(await store.sweep(sweeper.id, 1, 2)).jobs, first)
    const rest = accepted(await store.sweep(sweeper.id, 2, 10)).jobs
    assert.equal(new Set(idsOf([...first, ...rest])).size, 5)
  },

  'C5 what a sweep took is counted with the sweeper': async (store, clock) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    await store.insert(chores(5))
    await dead.claim(5)
    await pass(clock, 2 * LEASE_MS, sweeper)
    for (const took of [2, 4, 5]) {
      await sweeper.sweep(2)
      const counts = new Map((await store.workers()).map((row) => [row.id, row.running]))
      assert.equal(counts.get(sweeper.id), took)
      assert.equal(counts.get(dead.id) ?? 0, 5 - took)
    }
  },

  'C6 four sweepers at once take each job once': async (store, clock) => {
    const dead = await Hand.register(store)
    const sweepers = await Promise.all(Array.from({ length: 4 }, () => Hand.register(store)))
    const jobs = chores(40)
    await store.insert(jobs)
    await dead.claim(40)
    await pass(clock, 2 * LEASE_MS, ...sweepers)
    const taken = await Promise.all([...sweepers, ...sweepers].map((sweeper) => sweeper.sweep(7)))
    assert.deepEqual(idsOf(taken.flat()).toSorted(), idsOf(jobs).toSorted())
  },

  'C6 a sweeper that dies is swept in turn': async (store, clock) => {
    const [first, second, third] = [
      await Hand.register(store),
      await Hand.register(store),
      await Hand.register(store),
    ]
    const job = await running(store, first, chore())
    await pass(clock, 2 * LEASE_MS, second, third)
    const taken = only(await second.sweep())
    await pass(clock, 2 * LEASE_MS, third)
    const retaken = only(await third.sweep())
    assert(retaken.id === job.id && retaken.fence > taken.fence)
    assert.equal(await third.settle(taken, completed()), 'stale')
    assert.equal(await third.settle(retaken, completed()), 'done')
  },

  'C6 jobs of a worker that died days ago are still taken over': async (store, clock) => {
    const dead = await Hand.register(store)
    const job = await running(store, dead, chore())
    await store.retire(dead.id)
    clock.advance(3 * DAY)
    const sweeper = await Hand.register(store)
    await pass(clock, LEASE_MS, sweeper)
    await store.bury(addUp)
    assert.deepEqual(await store.verify(), [])
    assert.equal(only(await sweeper.sweep()).id, job.id)
  },

  'C6 a retired worker is swept at once': async (store, clock) => {
    const [dead, sweeper] = [await Hand.register(store), await Hand.register(store)]
    await pass(clock, 2 * LEASE_MS, dead, sweeper)
    const job = await running(store, dead, chore())
    await store.retire(dead.id)
    assert.deepEqual(await dead.renew(), { alive: false })
    assert.deepEqual(await dead.exchange([], 1), { refused: 'gone' })
    assert.equal(only(await sweeper.sweep()).id, job.id)
  },

  'C6 retiring twice, or a worker that nobody knows, does nothing': async (store) => {
    const worker = await Hand.register(store)
    await store.retire(worker.id)
    await store.retire(worker.id)
    await store.retire(newId())
    assert.deepEqual(await worker.renew(), { alive: false })
  },

  'C6 a dead worker is found although the clock went back': async (store, clock) => {
    const dead = await Hand.register(store)
    const job = await running(store, dead, chore())
    clock.set(clock.now() - HOUR)
    const sweeper = await Hand.register(store)
    assert.deepEqual(await sweeper.sweep(), [])
    await pass(clock, 2 * LEASE_MS, sweeper)
    assert.equal(only(await sweeper.sweep()).id, job.id)
  },
}
