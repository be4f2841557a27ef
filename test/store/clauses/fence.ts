import assert from 'node:assert/strict'
import { Hand, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
import { again, bytes, chore, completed, failed, textOf } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const fence: Clauses = {
  'C3 a stale fence changes nothing while the new holder runs': async (store, clock) => {
    const [first, second] = [await Hand.register(store), await Hand.register(store)]
    const stale = await running(store, first, chore())
    await pass(clock, 2 * LEASE_MS, second)
    const current = only(await second.sweep())
    const before = await seen(store, stale.id)

    const settlement = { ...stale, outcome: completed({ result: bytes('late') }) }
    assert.deepEqual(await first.exchange([settlement]), { refused: 'gone' })
    assert.equal(await second.settle(stale, completed({ result: bytes('late') })), 'stale')
    assert.deepEqual(await seen(store, stale.id), before)

    assert.equal(await second.settle(current, completed({ result: bytes('true') })), 'done')
    assert.equal(textOf((await seen(store, stale.id)).result), 'true')
    assert.equal(await second.settle(stale, completed({ result: bytes('late') })), 'stale')
    assert.equal(textOf((await seen(store, stale.id)).result), 'true')
  },

  'C3 the fence of another worker changes nothing': async (store) => {
    const [holder, other] = [await Hand.register(store), await Hand.register(store)]
    const job = await running(store, holder, chore())
    const before = await seen(store, job.id)
    assert.equal(await other.settle(job, completed()), 'stale')
    assert.equal(await other.settle(job, failed()), 'stale')
    assert.equal(await other.note(job, { progress: bytes('1') }), 'stale')
    assert.deepEqual(await seen(store, job.id), before)
    assert.equal(await holder.settle(job, completed()), 'done')
    assert.equal(await holder.settle(job, failed()), 'already')
    assert.deepEqual(await store.attempts(job.id), [])
  },

  'C3 a fence of the future changes nothing': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.notEqual(await worker.settle({ id: job.id, fence: job.fence + 1 }, completed()), 'done')
    assert.equal((await seen(store, job.id)).state, 'running')
  },

  'C3 a late settlement does not end a job that was retried': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed())
    await store.retry([job.id])
    assert.equal(await worker.settle(job, completed()), 'already')
    assert.equal((await seen(store, job.id)).state, 'ready')

    const current = await worker.claimOne()
    assert.equal(await worker.settle(job, completed()), 'stale')
    assert.equal((await seen(store, job.id)).state, 'running')
    assert.equal(await worker.settle(current, completed()), 'done')
  },

  'C3 it makes no difference over which connection a settlement arrives': async (store) => {
    const worker = await Hand.register(store)
    for (const spare of [0, 1, 2, 3]) {
      const job = await running(store, worker, chore())
      await worker.settle(job, again(0))
      const held = await worker.claimOne()
      for (let call = 0; call < spare; call++) await store.ping()
      await worker.settle(held, completed())
      const { state, error } = await seen(store, job.id)
      assert.deepEqual([state, error], ['completed', undefined])
      assert.equal(only(await store.workers()).running, 0)
    }
  },
}
