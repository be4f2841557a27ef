import assert from 'node:assert/strict'
import type { Step } from '../../../src/job/job.ts'
import type { Store } from '../../../src/store/contract.ts'
import { Hand, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
import {
  again,
  bytes,
  chore,
  completed,
  DAY,
  failed,
  released,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const step = (name: string, value = name) => ({ step: { name, value: bytes(value) } })
const spelled = (steps: readonly Step[] = []) =>
  steps.map(({ name, value }) => `${name}=${textOf(value)}`)
const kept = async (store: Store, id: string) => spelled(await store.steps(id))

export const steps: Clauses = {
  'C13 recorded steps come with the job to its next holder, in their order': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.equal(job.steps, undefined)
    const { rev } = await seen(store, job.id)
    assert.equal(await worker.note(job, step('b')), 'done')
    clock.advance(5)
    assert.equal(await worker.note(job, step('a', '')), 'done')
    assert((await seen(store, job.id)).rev > rev)
    await worker.settle(job, released())
    const next = await worker.claimOne()
    assert.deepEqual(spelled(next.steps), ['b=b', 'a='])
    assert.deepEqual(
      next.steps?.map(({ at }) => at),
      [clock.now() - 5, clock.now()],
    )
    assert.deepEqual(await store.steps(job.id), next.steps)
  },

  'C13 a step that is there stays as it is': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.note(job, step('paid', 'once'))
    const before = await seen(store, job.id)
    assert.equal(await worker.note(job, step('paid', 'twice')), 'done')
    assert.deepEqual(await seen(store, job.id), before)
    assert.deepEqual(await kept(store, job.id), ['paid=once'])
  },

  'C13 a stale holder records nothing': async (store, clock) => {
    const [first, second] = [await Hand.register(store), await Hand.register(store)]
    const stale = await running(store, first, chore())
    await first.note(stale, step('early'))
    await pass(clock, 2 * LEASE_MS, second)
    const current = only(await second.sweep())
    assert.equal(await first.note(stale, step('late')), 'stale')
    assert.equal(await second.note(current, step('mine')), 'done')
    assert.deepEqual(await kept(store, stale.id), ['early=early', 'mine=mine'])
  },

  'C13 nothing is recorded after the end': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, completed())
    assert.equal(await worker.note(job, step('late')), 'already')
    assert.deepEqual(await kept(store, job.id), [])
  },

  'C13 a repeated exchange brings the same steps': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.note(job, step('a'))
    await worker.settle(job, again(0))
    const [handed] = await worker.claim()
    const repeated = await worker.repeat(worker.n, [], 1)
    assert(!('refused' in repeated))
    assert.deepEqual(only(repeated.jobs).steps, handed?.steps)
    assert.equal(handed?.steps?.length, 1)
  },

  'C13 what crashed before a step counts no more': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, again(0, 'failures'))
    await worker.settle(await worker.claimOne(), again(0, 'crashes'))
    const second = await worker.claimOne()
    assert.deepEqual([second.failures, second.crashes], [1, 1])
    await worker.note(second, step('headway'))
    await worker.settle(second, again(0, 'losses'))
    const third = await worker.claimOne()
    assert.deepEqual([third.failures, third.crashes, third.losses], [1, 0, 1])
  },

  'C13 steps outlive a failure and its retry, but not another input': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.note(job, step('paid'))
    await worker.settle(job, failed())
    assert.deepEqual(await store.retry([job.id]), ['retried'])
    const second = await worker.claimOne()
    assert.deepEqual(spelled(second.steps), ['paid=paid'])
    await worker.settle(second, failed())
    assert.deepEqual(await store.retry([job.id], bytes('"other"')), ['retried'])
    assert.equal((await worker.claimOne()).steps, undefined)
    assert.deepEqual(await kept(store, job.id), [])
  },

  'C13 steps go with their job': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.note(job, step('a'))
    await worker.settle(job, completed({ keepMs: DAY }))
    assert.deepEqual(await kept(store, job.id), ['a=a'])
    await pass(clock, 2 * DAY)
    assert.equal((await store.purge(10)).erased, 1)
    assert.deepEqual(await kept(store, job.id), [])
  },

  'C11 names and values of steps come back exactly': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const names = ['a "quoted", \\ name', 'Ω 😀', ' ', 'x'.repeat(200)]
    for (const name of names)
      await worker.note(job, { step: { name, value: all }, progress: bytes('1') })
    await worker.settle(job, released())
    const next = await worker.claimOne()
    assert.deepEqual(
      next.steps?.map(({ name, value }) => [name, Buffer.from(value).equals(all)]),
      names.map((name) => [name, true]),
    )
  },
}
