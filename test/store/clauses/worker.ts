import assert from 'node:assert/strict'
import type { Store } from '../../../src/store/contract.ts'
import { decodeJson } from '../../../src/base/json.ts'
import { Hand, idsOf, LEASE_MS, only, pass } from '../../support/hand.ts'
import { bytes, chores, completed, DAY, textOf } from '../../support/jobs.ts'
import { addUp } from '../../support/metrics.ts'
import type { Clauses } from '../conform.ts'

const total = async (store: Store) => Number(decodeJson(addUp(await store.metrics())))

export const worker: Clauses = {
  'C10 a worker is shown with what it said of itself and how much it runs': async (
    store,
    clock,
  ) => {
    const id = new Hand(store).id
    await store.register({ id, leaseMs: LEASE_MS, info: bytes('{"host":"here"}') })
    await store.insert(chores(3))
    await store.exchange(id, 1, [], { queues: ['default'], limit: 2 })
    const { info, ...row } = only(await store.workers())
    const now = clock.now()
    assert.equal(textOf(info), '{"host":"here"}')
    assert.deepEqual(row, {
      id,
      registeredAt: now,
      leaseUntil: now + LEASE_MS,
      alive: true,
      running: 2,
    })
  },

  'C10 a worker that registers again is one worker and keeps its jobs': async (store) => {
    const hand = await Hand.register(store)
    await store.insert(chores(1))
    await hand.claimOne()
    await store.register({ id: hand.id, leaseMs: LEASE_MS, info: new Uint8Array() })
    assert.equal(only(await store.workers()).running, 1)
  },

  'C6 a worker whose lease ran out is not alive': async (store, clock) => {
    const [dead, living] = [await Hand.register(store), await Hand.register(store)]
    await pass(clock, 2 * LEASE_MS, living)
    const alive = (await store.workers()).filter((row) => row.alive)
    assert.deepEqual(idsOf(alive), [living.id])
    assert.notEqual(living.id, dead.id)
  },

  'C10 metrics are the latest that each worker left': async (store) => {
    const [one, two] = [await Hand.register(store), await Hand.register(store)]
    await one.renew(bytes('3'))
    await two.renew(bytes('4'))
    await one.renew(bytes('5'))
    await one.renew()
    assert.deepEqual(new Set((await store.metrics()).map(textOf)), new Set(['4', '5']))
  },

  'C10 metrics of workers that went away stay in the sum': async (store, clock) => {
    const [dead, retired, living] = [
      await Hand.register(store),
      await Hand.register(store),
      await Hand.register(store),
    ]
    await dead.renew(bytes('3'))
    await retired.renew(bytes('4'))
    await living.renew(bytes('50'))
    await store.retire(retired.id)
    assert.equal(await total(store), 57)
    await pass(clock, 2 * LEASE_MS, living)
    await living.sweep()
    assert.equal(await total(store), 57)

    clock.advance(DAY)
    await living.renew(bytes('60'))
    assert((await store.bury(addUp)) >= 1)
    assert.equal(await total(store), 67)
    assert.equal(await store.bury(addUp), 0)
    assert.equal(await total(store), 67)
    assert.equal((await store.workers()).filter(({ id }) => id === retired.id).length, 0)
  },

  'C10 a worker that worked and went away is struck off in the end': async (store, clock) => {
    const [gone, living] = [await Hand.register(store), await Hand.register(store)]
    await gone.renew(bytes('3'))
    await store.insert(chores(4))
    await gone.settleAll(await gone.claim(2), completed())
    await gone.settleAll(await gone.claim(2), completed())
    await store.retire(gone.id)
    clock.advance(DAY)
    await pass(clock, 2 * LEASE_MS, living)
    assert.deepEqual(await living.sweep(), [])
    assert.equal(await store.bury(addUp), 1)
    assert.equal(await total(store), 3)
  },

  'C10 sums of workers buried at different times add up': async (store, clock) => {
    for (const metrics of ['1', '2', '4']) {
      const hand = await Hand.register(store)
      await hand.renew(bytes(metrics))
      await store.retire(hand.id)
      clock.advance(DAY)
      assert.equal(await store.bury(addUp), 1)
    }
    assert.equal(await total(store), 7)
  },
}
