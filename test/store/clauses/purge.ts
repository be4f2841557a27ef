import assert from 'node:assert/strict'
import type { Store } from '../../../src/store/contract.ts'
import { Hand, idsOf, only, running, seen } from '../../support/hand.ts'
import {
  bytes,
  cancels,
  chore,
  chores,
  completed,
  DAY,
  failed,
  HOUR,
  parked,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

/** How many one purge erased. */
const erased = async (store: Store, limit = 10) => (await store.purge(limit)).erased

export const purge: Clauses = {
  'C10 an ended job is erased when its time is over and no sooner': async (store, clock) => {
    const worker = await Hand.register(store)
    const [short, long] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.settle(short, completed({ keepMs: HOUR }))
    await worker.settle(long, failed({ keepMs: DAY }))
    const dropped = chore()
    await store.insert([dropped])
    await store.cancel(cancels([dropped.id], 2 * HOUR))

    clock.advance(HOUR - 1)
    assert.equal(await erased(store), 0)
    clock.advance(1)
    assert.equal(await erased(store), 1)
    assert.deepEqual(await store.find([short.id]), [undefined])
    clock.advance(HOUR)
    assert.equal(await erased(store), 1)
    assert.deepEqual(await store.find([dropped.id]), [undefined])
    assert.equal((await seen(store, long.id)).state, 'failed')
    const counts = only(await store.tally())
    assert.deepEqual([counts.accepted, counts.erased], [3, 2])
  },

  'C10 an erased job leaves nothing behind': async (store, clock) => {
    const worker = await Hand.register(store)
    const unique = { value: 'once', until: 'kept', onConflict: 'join' } as const
    const job = await running(store, worker, chore({ tags: ['blue'], unique }))
    await worker.note(job, { progress: bytes('1'), log: [{ at: 1, level: 'info', text: 'hello' }] })
    await worker.settle(job, failed({ keepMs: 0 }))
    clock.advance(1)
    assert.deepEqual(await store.purge(10), { erased: 1, withFiles: [] })
    assert.deepEqual(await store.find([job.id]), [undefined])
    assert.deepEqual([await store.attempts(job.id), await store.logs(job.id, 0, 10)], [[], []])
    assert.deepEqual(
      [(await store.list({ tag: 'blue' }, 10)).jobs, (await store.list({}, 10)).jobs],
      [[], []],
    )
    assert.equal(await worker.settle(job, completed()), 'gone')
    assert.equal(await worker.note(job, { progress: bytes('2') }), 'gone')
    assert.deepEqual(
      [await store.cancel(cancels([job.id], 1)), await store.retry([job.id])],
      [['gone'], ['gone']],
    )

    const next = chore()
    await store.insert([next])
    assert.deepEqual([await store.attempts(next.id), await store.logs(next.id, 0, 10)], [[], []])
    assert.deepEqual((await store.list({ tag: 'blue' }, 10)).jobs, [])
  },

  'C10 a purge erases at most as many as it may': async (store, clock) => {
    const worker = await Hand.register(store)
    await store.insert(chores(25))
    await worker.settleAll(await worker.claim(25), completed({ keepMs: HOUR }))
    clock.advance(DAY)
    const counts = [
      await erased(store),
      await erased(store),
      await erased(store),
      await erased(store),
    ]
    assert.deepEqual(counts, [10, 10, 5, 0])
  },

  'C10 a job that lives is never erased': async (store, clock) => {
    const worker = await Hand.register(store)
    const retried = await running(store, worker, chore())
    await worker.settle(retried, failed({ keepMs: HOUR }))
    await store.retry([retried.id])
    const again = await worker.claimOne()
    const waiting = await running(store, worker, chore())
    await worker.settle(waiting, parked())
    const [idle, scheduled] = [chore(), chore({ delayMs: 90 * DAY })]
    await store.insert([idle, scheduled])

    clock.advance(60 * DAY)
    assert.equal(await erased(store), 0)
    const states = (await store.find([again.id, waiting.id, idle.id, scheduled.id])).map(
      (job) => job?.state,
    )
    assert.deepEqual(states, ['running', 'waiting', 'ready', 'scheduled'])
    await worker.settle(again, completed({ keepMs: 0 }))
    clock.advance(1)
    assert.equal(await erased(store), 1)
  },

  'C10 a job that ended again is kept by its last ending': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed({ keepMs: HOUR }))
    clock.advance(1000)
    await store.retry([job.id])
    await worker.settle(await worker.claimOne(), completed({ keepMs: DAY }))
    clock.advance(2 * HOUR)
    assert.equal(await erased(store), 0)
    clock.advance(DAY)
    assert.equal(await erased(store), 1)
  },

  'C10 four purges at once erase each job once': async (store, clock) => {
    const worker = await Hand.register(store)
    const jobs = chores(40)
    await store.insert(jobs)
    await worker.settleAll(await worker.claim(40), completed({ keepMs: HOUR }))
    clock.advance(DAY)
    const counts = await Promise.all([1, 2, 3, 4].map(() => erased(store, 15)))
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      [0, 10, 15, 15],
    )
    assert.deepEqual((await store.find(idsOf(jobs))).filter(Boolean), [])
    assert.equal(only(await store.tally()).erased, 40)
  },
}
