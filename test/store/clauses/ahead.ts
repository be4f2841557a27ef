import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { AHEAD_MAX } from '../../../src/store/contract.ts'
import { Hand, only, pass, running } from '../../support/hand.ts'
import { cancels, chore, chores, failed, HOUR, released } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const ahead: Clauses = {
  'C7 what is counted before a job is what leaves before it': async (store, clock) => {
    const worker = await Hand.register(store)
    const early = await running(store, worker, chore())
    const broken = await running(store, worker, chore())
    await worker.settle(broken, failed())
    const due = chore({ delayMs: 1500 })
    await store.insert([due])
    for (const priority of [5, 9, 0, 5]) {
      clock.advance(1000)
      await store.insert([chore({ priority }), chore({ priority })])
    }
    await worker.settle(early, released())
    await store.retry([broken.id])
    await worker.exchange([], 0)
    const [other] = [chore({ queue: 'other' })]
    await store.insert([other])
    assert.equal(await store.ahead(other.id), 0)

    const ids = (await store.list({ state: 'ready', queue: 'default' }, 100)).jobs.map(
      ({ id }) => id,
    )
    assert.equal(ids.length, 11)
    const counted = new Map<string, number>()
    for (const id of ids) counted.set(id, await store.ahead(id))
    const order = (await worker.claim(20)).map(({ id }) => id)
    assert.deepEqual(
      order.map((id) => counted.get(id)),
      order.map((_, i) => i),
    )
  },

  'C7 what was cancelled stands before nobody': async (store) => {
    const [first, second, third] = [chore(), chore(), chore()]
    await store.insert([first, second, third])
    await store.cancel(cancels([first.id]))
    assert.deepEqual([await store.ahead(second.id), await store.ahead(third.id)], [0, 1])
  },

  'C7 nothing is counted before a job that is not ready': async (store, clock) => {
    const worker = await Hand.register(store)
    const held = await running(store, worker, chore())
    const later = chore({ delayMs: HOUR })
    await store.insert([later, chore()])
    for (const id of [held.id, later.id, newId()]) assert.equal(await store.ahead(id), 0)
    await pass(clock, HOUR, worker)
    await worker.exchange([], 0)
    assert.equal(await store.ahead(later.id), 1)
  },

  'C7 a long line is not counted to its end': async (store) => {
    await store.insert(chores(AHEAD_MAX + 50))
    const last = chore({ priority: 6 })
    await store.insert([last])
    assert.equal(await store.ahead(last.id), AHEAD_MAX)
    const first = only((await store.list({ state: 'ready' }, 1)).jobs)
    assert.equal(await store.ahead(first.id), 0)
  },
}
