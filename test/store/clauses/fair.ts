import assert from 'node:assert/strict'
import type { NewJob } from '../../../src/job/job.ts'
import type { Store } from '../../../src/store/contract.ts'
import { Hand, idsOf } from '../../support/hand.ts'
import { chores, completed, HOUR, SECOND } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const fairly = (tenant: string, count: number, over: Partial<NewJob> = {}): NewJob[] =>
  chores(count, { tenant, fair: true, ...over })

/** Whose the next jobs are, in the order in which they leave. */
async function tenants(store: Store, limit: number): Promise<string> {
  const hand = await Hand.register(store)
  const jobs = await hand.claim(limit)
  await hand.settleAll(jobs, completed())
  return jobs.map(({ tenant }) => tenant).join('')
}

export const fair: Clauses = {
  'C7 a tenant with many waiting jobs keeps nobody from theirs': async (store, clock) => {
    await store.insert(fairly('a', 500))
    clock.advance(SECOND)
    assert.equal(await tenants(store, 100), 'a'.repeat(100))
    await store.insert(fairly('b', 1))
    assert.match(await tenants(store, 2), /b/)
  },

  'C7 tenants take turns, however many jobs each has, whenever they came': async (store, clock) => {
    await store.insert(fairly('a', 20))
    clock.advance(HOUR)
    await store.insert(fairly('b', 5))
    await store.insert(fairly('c', 5))
    const left = await tenants(store, 15)
    for (const tenant of 'abc') assert.equal(left.split(tenant).length - 1, 5, left)
    assert.equal(await tenants(store, 20), 'a'.repeat(15))
  },

  'C7 tenants take turns where their jobs wait for places of keys, too': async (store, clock) => {
    const hand = await Hand.register(store)
    const limited = (tenant: string, count: number) =>
      fairly(tenant, count, { limits: [{ key: `of ${tenant}`, running: 2 }] })
    await store.insert(limited('a', 6))
    const running = await hand.claim(10)
    assert.deepEqual(running.map(({ tenant }) => tenant).join(''), 'aa')
    clock.advance(HOUR)
    await store.insert(limited('b', 4))
    await hand.settleAll(running, completed())
    assert.equal(await tenants(store, 4), 'abab')
    assert.equal(await tenants(store, 4), 'abab')
  },

  'C7 jobs of one tenant leave in the order in which they came': async (store, clock) => {
    const jobs = fairly('a', 3)
    for (const job of jobs) await store.insert([job])
    clock.advance(SECOND)
    const later = fairly('a', 2)
    await store.insert(later)
    const hand = await Hand.register(store)
    assert.deepEqual(idsOf(await hand.claim(10)), idsOf([...jobs, ...later]))
  },

  'C7 what a tenant had before is not held against it once nobody waits': async (store) => {
    await store.insert(fairly('a', 50))
    assert.equal((await tenants(store, 50)).length, 50)
    await store.insert(fairly('a', 1))
    await store.insert(fairly('b', 1))
    assert.equal(await tenants(store, 2), 'ab')
  },

  'C7 turns are taken within one priority of one queue': async (store) => {
    await store.insert(fairly('a', 10))
    await store.insert(fairly('b', 1, { priority: 0 }))
    await store.insert(fairly('b', 1, { queue: 'other' }))
    assert.equal(await tenants(store, 2), 'ba')
  },

  'C7 a fair job that is not due yet is ready when it is': async (store, clock) => {
    await store.insert(fairly('a', 10))
    const [later] = fairly('b', 1, { delayMs: HOUR })
    await store.insert([later!])
    const hand = await Hand.register(store)
    assert.equal((await hand.claim(20)).length, 10)
    clock.advance(HOUR)
    await hand.renew()
    assert.deepEqual(idsOf(await hand.claim(20)), [later!.id])
  },
}
