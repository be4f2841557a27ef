import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { itemId } from '../../../src/job/batch.ts'
import { Hand, seen } from '../../support/hand.ts'
import {
  again,
  bytes,
  cancelled,
  cancels,
  chore,
  completed,
  DAY,
  failed,
  HOUR,
} from '../../support/jobs.ts'
import { batch, batchOf, close, filled, itemsOf, open, tally } from '../../support/batches.ts'
import type { Clauses } from '../conform.ts'

export const batches: Clauses = {
  'C16 a batch is opened once, and stays as it was opened': async (store, clock) => {
    const made = batchOf({ tenant: 'acme', failedMax: 3, fingerprint: 'print' })
    const first = await open(store, made)
    clock.advance(HOUR)
    const again = await open(store, { ...made, job: 'other' })
    assert.deepEqual(again, first)
    const { end: _, ...said } = made
    assert.partialDeepStrictEqual(first, { ...said, items: 0, erased: 0, endings: 0 })
    assert.deepEqual(await store.findBatches([newId()]), [undefined])
  },

  'C16 items are jobs that know their place, and each is counted once, however often it is sent':
    async (store) => {
      const made = batchOf()
      await open(store, made)
      const items = itemsOf(made.id, 3)
      await store.fillBatch(made.id, items.slice(0, 2))
      const filled = await store.fillBatch(made.id, items)
      assert(!('refused' in filled))
      assert.deepEqual(
        filled.inserted,
        items.map(({ id }) => ({ id, joined: false })),
      )
      assert.deepEqual(tally(await batch(store, made.id)), [3, 0, 0, 0, 0])
      const worker = await Hand.register(store)
      const claimed = await worker.claim(5)
      assert.deepEqual(
        claimed.map(({ place }) => place),
        [0, 1, 2].map((index) => ({ batch: made.id, index })),
      )
      assert.deepEqual((await seen(store, itemId({ batch: made.id, index: 2 }))).place?.index, 2)
    },

  'C16 only an open batch takes items': async (store) => {
    const made = batchOf()
    const items = itemsOf(made.id, 1)
    assert.deepEqual(await store.fillBatch(made.id, items), { refused: 'gone' })
    await open(store, made)
    assert(await close(store, made.id))
    assert.deepEqual(await store.fillBatch(made.id, items), { refused: 'closed' })
    assert.deepEqual(tally(await batch(store, made.id)), [0, 0, 0, 0, 0])
    assert.equal(await close(store, newId()), undefined)
  },

  'C16 what becomes of items is counted in the step in which it does': async (store) => {
    const { worker, id } = await filled(store, 6)
    const jobs = await worker.claim(6)
    const outcomes = [
      completed(),
      completed({ withErrors: true, result: bytes('1') }),
      failed(),
      cancelled(),
      again(HOUR),
    ]
    for (const [i, outcome] of outcomes.entries()) await worker.settle(jobs[i]!, outcome)
    assert.deepEqual(tally(await batch(store, id)), [6, 2, 1, 1, 1])
    await store.cancel(cancels([jobs[4]!.id]))
    assert.deepEqual(tally(await batch(store, id)), [6, 2, 1, 1, 2])
  },

  'C16 many that end in one trip are counted in it': async (store) => {
    const { worker, id } = await filled(store, 200)
    const jobs = await worker.claim(200)
    await worker.settleAll(jobs.slice(0, 150), completed())
    assert.deepEqual(tally(await batch(store, id)), [200, 150, 0, 0, 0])
    assert.equal((await batch(store, id)).endedAt, undefined)
    await worker.settleAll(jobs.slice(150), completed())
    assert(await batch(store, id))
    assert.notEqual((await batch(store, id)).endedAt, undefined)
  },

  'C16 a late result counts for nothing': async (store) => {
    const { worker, id } = await filled(store, 1)
    const job = await worker.claimOne()
    await worker.settle(job, completed())
    await worker.settle({ ...job, fence: job.fence - 1 }, failed())
    await worker.settle(job, completed())
    assert.deepEqual(tally(await batch(store, id)), [1, 1, 0, 0, 0])
  },

  'C16 a batch stays for as long as its items do, then goes': async (store, clock) => {
    const { worker, id } = await filled(store, 1, { keepMs: 0 })
    await worker.settle(await worker.claimOne(), completed())
    await worker.settle(await worker.claimOne('ends'), completed())
    clock.advance(HOUR)
    await store.purge(100)
    assert(await batch(store, id))
    clock.advance(DAY)
    await store.purge(100)
    clock.advance(HOUR)
    await store.purge(100)
    assert.deepEqual(await store.findBatches([id]), [undefined])
  },

  'C16 batches are listed newest first, of one tenant or of all': async (store) => {
    const made = ['', 'acme', '', 'acme'].map((tenant) => batchOf({ tenant }))
    for (const one of made) await open(store, one)
    const ids = made.map(({ id }) => id).toReversed()
    const all = await store.listBatches({}, 3)
    assert.deepEqual(
      all.batches.map(({ id }) => id),
      ids.slice(0, 3),
    )
    const rest = await store.listBatches({}, 3, all.next)
    assert.deepEqual([rest.batches.map(({ id }) => id), rest.next], [ids.slice(3), undefined])
    const acme = await store.listBatches({ tenant: 'acme' }, 5)
    assert.deepEqual(
      acme.batches.map(({ id }) => id),
      [ids[0], ids[2]],
    )
  },

  'C16 jobs of one batch are listed': async (store) => {
    const { worker, id } = await filled(store, 3)
    await store.insert([chore()])
    await worker.settle(await worker.claimOne(), failed())
    const { jobs } = await store.list({ batch: id }, 10)
    assert.deepEqual(
      jobs.map(({ place }) => place?.index),
      [2, 1, 0],
    )
    const bad = await store.list({ batch: id, state: 'failed' }, 10)
    assert.deepEqual(
      bad.jobs.map(({ place }) => place?.index),
      [0],
    )
  },
}
