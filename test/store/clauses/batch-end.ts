import assert from 'node:assert/strict'
import { itemId } from '../../../src/job/batch.ts'
import { Hand } from '../../support/hand.ts'
import { bytes, cancelled, chore, completed, failed, HOUR, textOf } from '../../support/jobs.ts'
import {
  batch,
  batchOf,
  close,
  filled,
  itemsOf,
  LAST,
  open,
  stop,
  tally,
} from '../../support/batches.ts'
import type { Clauses } from '../conform.ts'

export const batchEnds: Clauses = {
  'C16 the step that ends the last item inserts the job at the end, with what became of them':
    async (store, clock) => {
      const { worker, id } = await filled(store, 2, {
        end: chore({ id: LAST, queue: 'ends', job: 'report', input: bytes('"in"') }),
      })
      const end = chore({ id: LAST, subject: id, queue: 'ends' })
      assert.equal(end.subject, id)
      const [one, other] = await worker.claim(2)
      await worker.settle(one!, completed())
      assert.deepEqual(await worker.claim(1, 'ends'), [])
      clock.advance(5)
      await worker.settle(other!, failed())
      const ended = await batch(store, id)
      assert.deepEqual([ended.endedAt, ended.endings], [clock.now(), 1])
      const last = await worker.claimOne('ends')
      assert.deepEqual(
        [last.id, last.job, textOf(last.input)],
        [`${LAST.slice(0, -4)}0001`, 'report', '"in"'],
      )
    },

  'C16 the job at the end is handed the tally of its batch': async (store) => {
    const made = batchOf()
    const end = chore({ id: LAST, queue: 'ends', subject: made.id })
    const { worker } = await filled(store, 2, { ...made, end })
    await worker.settleAll(await worker.claim(2), completed())
    const { subject } = await worker.claimOne('ends')
    const tallied = { items: 2, completed: 2, withErrors: 0, failed: 0, cancelled: 0 }
    assert.deepEqual(JSON.parse(textOf(subject?.input) ?? ''), tallied)
  },

  'C16 a batch that is closed when its items have ended ends with that': async (store) => {
    const made = batchOf({ end: chore({ id: LAST }) })
    await open(store, made)
    const worker = await Hand.register(store)
    await store.fillBatch(made.id, itemsOf(made.id, 1))
    await worker.settle(await worker.claimOne(), completed())
    assert.equal((await batch(store, made.id)).endedAt, undefined)
    const closed = await close(store, made.id)
    assert.notEqual(closed?.endedAt, undefined)
    assert.equal((await worker.claimOne()).id, `${LAST.slice(0, -4)}0001`)
    await close(store, made.id)
    assert.equal((await batch(store, made.id)).endings, 1)
    assert.deepEqual(await worker.claim(), [])
  },

  'C16 one without items has ended when it is closed': async (store) => {
    const { id } = await filled(store, 0)
    assert.notEqual((await batch(store, id)).endedAt, undefined)
  },

  'C16 an item that is given another life opens its batch again, which ends once more': async (
    store,
  ) => {
    const { worker, id } = await filled(store, 2)
    const [one, other] = await worker.claim(2)
    await worker.settle(one!, completed())
    await worker.settle(other!, failed())
    await store.retry([other!.id])
    const reopened = await batch(store, id)
    assert.deepEqual([tally(reopened), reopened.endedAt], [[2, 1, 0, 0, 0], undefined])
    assert.deepEqual(await store.fillBatch(id, itemsOf(id, 3)), { refused: 'closed' })
    await worker.settle(await worker.claimOne(), completed())
    assert.deepEqual(tally(await batch(store, id)), [2, 2, 0, 0, 0])
    const ends = await worker.claim(2, 'ends')
    assert.deepEqual(
      ends.map((job) => job.id),
      ['0001', '0002'].map((count) => LAST.slice(0, -4) + count),
    )
  },
}

export const batchStops: Clauses = {
  'C16 of a batch that is stopped no item is begun any more': async (store) => {
    const { worker, id } = await filled(store, 3)
    const first = await worker.claimOne()
    const stopped = await stop(store, id)
    assert.equal(stopped?.stopped, 'asked')
    const rest = await worker.claim(5)
    assert.deepEqual(
      [first, ...rest].map((job) => job.cancelAsked === true),
      [false, true, true],
    )
    assert.deepEqual(await store.stoppedBatches(HOUR), [await batch(store, id)])
    await worker.settleAll(rest, cancelled())
    await worker.settle(first, completed())
    assert.deepEqual(tally(await batch(store, id)), [3, 1, 0, 0, 2])
    assert.deepEqual(await store.stoppedBatches(HOUR), [])
    assert.equal((await worker.claim(2, 'ends')).length, 1)
  },

  'C16 a batch that has ended is not stopped, and one that was begins its items in another life':
    async (store) => {
      const { worker, id } = await filled(store, 1)
      await worker.settle(await worker.claimOne(), failed())
      await stop(store, id)
      assert.equal((await batch(store, id)).stopped, undefined)
      await store.retry([itemId({ batch: id, index: 0 })])
      await stop(store, id)
      const asked = await worker.claimOne()
      assert.equal(asked.cancelAsked, true)
      await worker.settle(asked, cancelled())
      await store.retry([asked.id])
      assert.equal((await worker.claimOne()).cancelAsked, undefined)
    },

  'C16 a batch is stopped when too many of its items have failed': async (store) => {
    const { worker, id } = await filled(store, 4, { failedMax: 1 })
    const [first, second] = await worker.claim(2)
    await worker.settle(first!, failed())
    assert.equal((await batch(store, id)).stopped, undefined)
    await worker.settle(second!, failed())
    assert.equal((await batch(store, id)).stopped, 'failures')
    assert.equal((await worker.claimOne()).cancelAsked, true)
  },

  'C16 how many may fail is told when a batch is closed, and counts for those that have': async (
    store,
  ) => {
    const made = batchOf()
    await open(store, made)
    const worker = await Hand.register(store)
    await store.fillBatch(made.id, itemsOf(made.id, 2))
    await worker.settle(await worker.claimOne(), failed())
    const closed = await close(store, made.id, 0)
    assert.deepEqual([closed?.failedMax, closed?.stopped], [0, 'failures'])
  },

  'C16 a batch to which nothing came for long is stopped, and takes nothing more': async (
    store,
    clock,
  ) => {
    const made = batchOf()
    await open(store, made)
    clock.advance(HOUR)
    await store.fillBatch(made.id, itemsOf(made.id, 1))
    assert.deepEqual(await store.stoppedBatches(HOUR), [])
    clock.advance(HOUR)
    const [stopped] = await store.stoppedBatches(HOUR)
    assert.deepEqual([stopped?.id, stopped?.stopped], [made.id, 'unclosed'])
    assert.deepEqual(await store.fillBatch(made.id, itemsOf(made.id, 2)), { refused: 'closed' })
  },
}
