import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { Hand, only, running, seen } from '../../support/hand.ts'
import {
  again,
  cancelled,
  cancels,
  chore,
  completed,
  HOUR,
  parked,
  released,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const cancel: Clauses = {
  'C10 a job that is not running is cancelled at once': async (store, clock) => {
    const worker = await Hand.register(store)
    const parkedJob = await running(store, worker, chore())
    await worker.settle(parkedJob, parked())
    const delayedAgain = await running(store, worker, chore())
    await worker.settle(delayedAgain, again(HOUR))
    const [ready, scheduled] = [chore(), chore({ delayMs: HOUR })]
    await store.insert([ready, scheduled])

    const ids = [ready.id, scheduled.id, parkedJob.id, delayedAgain.id]
    assert.deepEqual(
      await store.cancel(cancels(ids)),
      ids.map(() => 'cancelled'),
    )
    for (const id of ids) {
      const { state, endedAt } = await seen(store, id)
      assert.deepEqual([state, endedAt], ['cancelled', clock.now()])
    }
    clock.advance(2 * HOUR)
    assert.deepEqual(await worker.claim(10), [])
    assert.equal(await store.unpark(['chore']), 0)
  },

  'C3 a cancel asks the holder of a running job and changes nothing else': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.deepEqual(await store.cancel(cancels([job.id])), ['asked'])
    const asked = await seen(store, job.id)
    assert.deepEqual([asked.state, asked.cancelAsked, asked.fence], ['running', true, job.fence])
    assert.deepEqual(await store.cancel(cancels([job.id])), ['asked'])

    assert.equal(await worker.settle(job, cancelled()), 'done')
    const ended = await seen(store, job.id)
    assert.equal(ended.state, 'cancelled')
  },

  'C3 a job may complete although its cancel was asked': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await store.cancel(cancels([job.id]))
    assert.equal(await worker.settle(job, completed()), 'done')
    assert.equal((await seen(store, job.id)).state, 'completed')
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [] })
  },

  'C3 a cancel that was asked is not forgotten when the attempt ends otherwise': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await store.cancel(cancels([job.id]))
    let held = job
    for (const outcome of [again(0), again(HOUR), parked(), released()]) {
      await worker.settle(held, outcome)
      // It is set aside nowhere: whoever takes it next ends it.
      held = await worker.claimOne()
      assert.equal(held.cancelAsked, true)
    }
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [job.id] })
  },

  'C10 a job that has ended is not cancelled': async (store) => {
    const worker = await Hand.register(store)
    const done = await running(store, worker, chore())
    await worker.settle(done, completed())
    const dropped = chore()
    await store.insert([dropped])
    await store.cancel(cancels([dropped.id]))
    const before = await store.find([done.id, dropped.id])
    const answers = await store.cancel(cancels([done.id, newId(), dropped.id]))
    assert.deepEqual([answers[0], answers[1]], ['completed', 'gone'])
    assert.deepEqual(await store.find([done.id, dropped.id]), before)
  },

  'C10 a cancel against a claim ends in one of the two ways': async (store) => {
    const worker = await Hand.register(store)
    for (let round = 0; round < 10; round++) {
      const job = chore()
      await store.insert([job])
      const [answers, claimed] = await Promise.all([
        store.cancel(cancels([job.id])),
        worker.claim(1),
      ])
      assert.equal(only(answers), claimed.length === 0 ? 'cancelled' : 'asked')
      if (claimed[0]) await worker.settle(claimed[0], cancelled())
    }
    assert.equal(only(await store.tally()).cancelled, 10)
  },
}
