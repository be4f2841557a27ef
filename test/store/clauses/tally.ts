import assert from 'node:assert/strict'
import { Hand, only, running } from '../../support/hand.ts'
import { cancelled, chore, chores, completed, failed, HOUR, parked } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const tally: Clauses = {
  'C10 an empty store counts nothing and contradicts nothing': async (store) => {
    assert.deepEqual(await store.tally(), [])
    assert.deepEqual(await store.workers(), [])
    assert.deepEqual(await store.metrics(), [])
    await store.ping()
  },

  'C10 each queue counts its jobs by state': async (store) => {
    const worker = await Hand.register(store)
    for (const outcome of [completed(), completed(), failed(), cancelled(), parked()])
      await worker.settle(await running(store, worker, chore()), outcome)
    await running(store, worker, chore())
    await store.insert([...chores(3), chore({ delayMs: HOUR }), ...chores(2, { queue: 'mail' })])

    const queues = (await store.tally()).toSorted((a, b) => a.queue.localeCompare(b.queue))
    const [main, mail] = queues
    assert(main && mail && queues.length === 2)
    const { oldestReadyAt: _, ...counts } = main
    const ended = { completed: 2, failed: 1, cancelled: 1 }
    const live = { scheduled: 1, ready: 3, running: 1, waiting: 1 }
    assert.deepEqual(counts, { queue: 'default', accepted: 10, erased: 0, ...ended, ...live })
    assert.deepEqual([mail.accepted, mail.ready], [2, 2])
  },

  'C10 a queue says how long its oldest ready job has waited': async (store, clock) => {
    const worker = await Hand.register(store)
    const since = clock.now()
    await store.insert([chore({ priority: 9 }), chore({ delayMs: HOUR })])
    clock.advance(1000)
    await store.insert([chore({ priority: 1 })])
    assert.equal(only(await store.tally()).oldestReadyAt, since)
    await worker.claim(2)
    assert.equal(only(await store.tally()).oldestReadyAt, undefined)
  },

  'C10 joined and refused inserts are not accepted': async (store) => {
    const unique = { value: 'one', until: 'end', onConflict: 'refuse' } as const
    const job = chore({ fingerprint: 'a', unique })
    await store.insert([job, job, { ...job, fingerprint: 'b' }, chore({ unique })])
    assert.equal(only(await store.tally()).accepted, 1)
  },

  'C10 counters add up while eight workers write at once': async (store) => {
    const workers = await Promise.all(Array.from({ length: 8 }, () => Hand.register(store)))
    await Promise.all(
      workers.map(async (worker) => {
        await store.insert(chores(10))
        await worker.settleAll(await worker.claim(6), completed())
        await store.insert(chores(5, { delayMs: HOUR }))
      }),
    )
    const { accepted, completed: ended, ready, scheduled } = only(await store.tally())
    assert.deepEqual([accepted, scheduled, ended + ready], [120, 40, 80])
  },
}
