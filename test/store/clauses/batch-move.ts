import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { itemId } from '../../../src/job/batch.ts'
import type { BatchCopy } from '../../../src/job/moving.ts'
import { batch, batchOf, itemsOf, LAST, open, stop, tally } from '../../support/batches.ts'
import { adoptee, batchCopy, copyAll, veteran } from '../../support/copies.ts'
import { Hand, only } from '../../support/hand.ts'
import { plain } from '../../support/histories/plain.ts'
import { bytes, chore, completed, DAY, failed, HOUR } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const traveller = (now: number, over: Partial<BatchCopy> = {}): BatchCopy =>
  batchCopy(now, { end: chore({ id: LAST, queue: 'ends' }), ...over })

export const batchMoves: Clauses = {
  'C16 a copy holds every batch whole, in the order in which they were opened': async (
    store,
    clock,
  ) => {
    const unique = { value: 'v', until: 'kept', onConflict: 'refuse' } as const
    const spans = { delayMs: 1, expiresInMs: 2, deadlineMs: 3 }
    const rare = { tenant: 'acme', tags: ['blue, "quoted"'], fingerprint: 'f', unique, ...spans }
    const end = chore({ id: LAST, input: bytes('\u0000\u00ff'), subject: newId(), ...rare })
    const many = Array.from({ length: 40 }, () => batchOf())
    const made = [batchOf({ end }), batchOf({ end: chore({ runAt: clock.now() }) }), ...many]
    for (const one of made) await open(store, one)
    await store.fillBatch(made[0]?.id ?? '', itemsOf(made[0]?.id ?? '', 2))
    const kept = await store.findBatches(made.map(({ id }) => id))
    const whole = kept.map((one, i) => ({ ...one, ...(made[i]?.end && { end: made[i]?.end }) }))
    for (const limit of [100, 1]) {
      const { jobs, batches } = await copyAll(store, limit)
      assert.deepEqual(batches.map(plain), whole.map(plain))
      assert.equal(jobs.length, 2)
    }
  },

  'C16 batches are adopted as they stand, and those that are here stay as they are': async (
    store,
    clock,
  ) => {
    const now = clock.now()
    const [one, other] = [traveller(now), traveller(now, { items: 1, completed: 1 })]
    const place = { batch: other.id, index: 0 }
    const item = veteran(now, { id: itemId(place), place })
    const ended = { ...other, closedAt: now, endedAt: now, endings: 1, stopped: 'asked' } as const
    for (const again of [false, true]) {
      await store.adopt([item], [], [one, again ? { ...ended, endings: 7 } : ended])
      const { jobs, batches } = await copyAll(store)
      assert.deepEqual(batches.map(plain), [one, ended].map(plain))
      assert.deepEqual(only(jobs).place, place)
    }
    clock.advance(2 * DAY)
    await store.purge(10)
    clock.advance(HOUR)
    await store.purge(10)
    assert.deepEqual(await store.findBatches([other.id]), [undefined])
  },

  'C16 an adopted batch goes on: it takes items, counts them and ends with its own last job':
    async (store, clock) => {
      const now = clock.now()
      const moved = traveller(now, { items: 3, failed: 1, completed: 1, endings: 1 })
      const at = (index: number) => ({ batch: moved.id, index })
      const ended = { endedAt: now, keptUntil: now + DAY }
      const items = [
        adoptee(now, { place: at(0), state: 'completed', ...ended }),
        adoptee(now, { place: at(1), state: 'failed', reason: 'error', ...ended }),
        adoptee(now, { place: at(2) }),
      ].map((job, index) => ({ ...job, id: itemId(at(index)) }))
      await store.adopt(items, [], [moved])
      await store.fillBatch(moved.id, itemsOf(moved.id, 4))
      const worker = await Hand.register(store)
      await worker.settleAll(await worker.claim(5), completed())
      assert.deepEqual(tally(await batch(store, moved.id)), [4, 3, 0, 1, 0])
      await store.changeBatch(moved.id, { to: 'closed' })
      const last = await worker.claimOne('ends')
      assert.equal(last.id, `${LAST.slice(0, -4)}0002`)
    },

  'C16 of an adopted batch that is stopped nothing is begun, and an idle one is stopped': async (
    store,
    clock,
  ) => {
    const now = clock.now()
    const idle = traveller(now - 2 * HOUR)
    const stopped = traveller(now, { items: 1, closedAt: now, stopped: 'failures' })
    const place = { batch: stopped.id, index: 0 }
    await store.adopt([adoptee(now, { id: itemId(place), place })], [], [idle, stopped])
    const worker = await Hand.register(store)
    const asked = await worker.claimOne()
    assert.equal(asked.cancelAsked, true)
    assert.deepEqual(await store.stoppedBatches(HOUR), [await batch(store, stopped.id)])
    assert.equal((await batch(store, idle.id)).stopped, 'unclosed')
    await worker.settle(asked, failed())
    await stop(store, stopped.id)
    assert.equal((await batch(store, stopped.id)).endings, 1)
  },
}
