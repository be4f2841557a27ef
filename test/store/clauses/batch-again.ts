import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { itemId } from '../../../src/job/batch.ts'
import { batch, batchOf, close, filled, itemsOf, open, stop, tally } from '../../support/batches.ts'
import { accepted, Hand, seen } from '../../support/hand.ts'
import { again, cancelled, chore, completed, failed, HOUR, MINUTE } from '../../support/jobs.ts'
import { rings } from '../../support/rings.ts'
import type { Clauses } from '../conform.ts'

/** Batches and what comes again, late, or in one trip with another thing. */
export const batchAgain: Clauses = {
  'C16 the trip in which a batch is stopped begins none of its items': async (store) => {
    const { worker } = await filled(store, 3, { failedMax: 0 })
    const first = await worker.claimOne()
    const settlement = { id: first.id, fence: first.fence, outcome: failed() }
    const { jobs } = accepted(await worker.exchange([settlement], 1))
    assert.deepEqual(
      jobs.map((job) => job.cancelAsked),
      [true],
    )
  },

  'C16 the trip that ends the last item may take the job at the end': async (store) => {
    const { worker } = await filled(store, 1)
    const { id, fence } = await worker.claimOne()
    const settlement = { id, fence, outcome: completed() }
    const { jobs } = accepted(await worker.exchange([settlement], 1, ['ends']))
    assert.equal(jobs.length, 1)
  },

  'C16 of a batch that is stopped who is handed an item is asked to end it, and stays asked':
    async (store) => {
      const { worker, id } = await filled(store, 2)
      const early = await worker.claimOne()
      await stop(store, id)
      const asked = await worker.claimOne()
      assert.equal((await seen(store, asked.id)).cancelAsked, true)
      assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [asked.id] })
      await worker.settle(asked, again(HOUR))
      assert.equal((await seen(store, asked.id)).state, 'ready')
      assert.equal((await seen(store, early.id)).cancelAsked, false)
    },

  'C16 a repeated exchange hands out an item as it was handed out before its batch was stopped':
    async (store) => {
      const { worker, id } = await filled(store, 1)
      const first = await worker.exchange([], 1)
      await stop(store, id)
      assert.deepEqual(accepted(await worker.repeat(worker.n, [], 1)), first)
    },

  'C16 a batch is not stopped for failures of old when its items are given another life': async (
    store,
  ) => {
    const { worker, id } = await filled(store, 4, { failedMax: 1 })
    const jobs = await worker.claim(4)
    await worker.settleAll(jobs, failed())
    for (const job of jobs.slice(0, 2)) await store.retry([job.id])
    await close(store, id, 0)
    assert.equal((await batch(store, id)).stopped, undefined)
    const [one, other] = await worker.claim(2)
    assert.equal(one?.cancelAsked, undefined)
    await worker.settle(one!, completed())
    assert.equal((await batch(store, id)).stopped, undefined)
    await worker.settle(other!, failed())
    assert.deepEqual(tally(await batch(store, id)), [4, 1, 0, 3, 0])
  },

  'C16 items that are sent again keep their batch open as new ones do': async (store, clock) => {
    const made = batchOf()
    await open(store, made)
    await store.fillBatch(made.id, itemsOf(made.id, 1))
    clock.advance(HOUR)
    await store.fillBatch(made.id, itemsOf(made.id, 1))
    assert.equal((await batch(store, made.id)).filledAt, clock.now())
    assert.deepEqual(await store.stoppedBatches(HOUR), [])
  },

  'C16 an item is kept while its batch takes more, so that one sent again is never begun again':
    async (store, clock) => {
      const made = batchOf()
      await open(store, made)
      const worker = await Hand.register(store)
      await store.fillBatch(made.id, itemsOf(made.id, 1))
      await worker.settle(await worker.claimOne(), completed({ keepMs: 0 }))
      clock.advance(MINUTE)
      assert.equal((await store.purge(100)).erased, 0)
      const id = itemId({ batch: made.id, index: 0 })
      assert.deepEqual(await store.erase([id]), ['filling'])
      await store.fillBatch(made.id, itemsOf(made.id, 1))
      assert.deepEqual(tally(await batch(store, made.id)), [1, 1, 0, 0, 0])
      await close(store, made.id)
      clock.advance(HOUR)
      assert.equal((await store.purge(100)).erased, 1)
      assert.deepEqual(await store.erase([id]), ['gone'])
    },

  'C16 whoever listens hears that a batch has ended, and that it is open again': async (store) => {
    const made = batchOf()
    await open(store, made)
    await rings(store, 'change', () => close(store, made.id))
    const { worker, id } = await filled(store, 1)
    await rings(store, 'change', async () => worker.settle(await worker.claimOne(), failed()))
    await rings(store, 'change', () => store.retry([itemId({ batch: id, index: 0 })]))
  },

  'C16 no items are stored in any batch, and a job under the id of an item is none': async (
    store,
  ) => {
    assert.deepEqual(await store.fillBatch(newId(), []), { inserted: [] })
    const made = batchOf()
    await open(store, made)
    const stranger = chore({ id: itemId({ batch: made.id, index: 0 }) })
    await store.insert([stranger])
    await store.fillBatch(made.id, itemsOf(made.id, 2, { tags: ['blue'] }))
    assert.deepEqual(tally(await batch(store, made.id)), [1, 0, 0, 0, 0])
    assert.equal((await seen(store, stranger.id)).place, undefined)
    await close(store, made.id)
  },

  'C16 of many batches at once each counts its own': async (store) => {
    const made = await Promise.all([3, 1, 2].map((count) => filled(store, count)))
    const [{ worker } = assert.fail()] = made
    const jobs = await worker.claim(6)
    await worker.settleAll(jobs.slice(1), completed())
    await worker.settleAll(jobs.slice(0, 1), cancelled())
    const ended = await store.findBatches(made.map(({ id }) => id))
    assert.deepEqual(
      ended.map((one) => one && [one.items, one.completed + one.cancelled, one.endings]),
      [3, 1, 2].map((count) => [count, count, 1]),
    )
  },
}
