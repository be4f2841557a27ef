import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { Hand, running, seen } from '../../support/hand.ts'
import {
  again,
  bytes,
  cancels,
  chore,
  completed,
  DAY,
  failed,
  HOUR,
  parked,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const retry: Clauses = {
  'C10 a failed job lives again under its id, with its attempts behind it': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, again(0))
    await worker.settle(await worker.claimOne(), failed())
    const before = await seen(store, job.id)
    clock.advance(HOUR)

    assert.deepEqual(await store.retry([job.id]), ['retried'])
    const after = await seen(store, job.id)
    assert.deepEqual(
      [after.state, after.runAt, after.createdAt],
      ['ready', clock.now(), before.createdAt],
    )
    assert.deepEqual([after.failures, after.crashes, after.losses], [0, 0, 0])
    assert.deepEqual([after.endedAt, after.reason], [undefined, undefined])
    assert(after.rev > before.rev)
    assert.equal((await store.attempts(job.id)).length, 2)
    assert.equal(await worker.settle(await worker.claimOne(), completed()), 'done')
    assert.equal((await store.attempts(job.id)).length, 2)
  },

  'C10 a cancelled job lives again, and its cancel is forgotten': async (store) => {
    const worker = await Hand.register(store)
    const [job, idle] = [await running(store, worker, chore()), chore()]
    await store.insert([idle])
    await store.cancel(cancels([job.id, idle.id]))
    await worker.settle(job, { to: 'cancelled', keepMs: DAY })
    assert.deepEqual(await store.retry([job.id, idle.id]), ['retried', 'retried'])
    assert.equal((await worker.claim(5)).length, 2)
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [] })
    assert.equal((await seen(store, job.id)).cancelAsked, false)
  },

  'C10 a job that ends twice in one moment is kept by its last ending': async (store, clock) => {
    const worker = await Hand.register(store)
    for (const [first, last] of [
      [HOUR, DAY],
      [DAY, HOUR],
    ] as const) {
      await store.insert([chore(), chore()])
      const [job, other] = await worker.claim(2)
      assert(job && other)
      await worker.settleAll([job, other], failed({ keepMs: first }))
      await store.retry([job.id])
      await worker.settle(await worker.claimOne(), completed({ keepMs: last }))

      clock.advance(HOUR)
      const [short, long] = first === HOUR ? [other, job] : [job, other]
      assert.equal((await store.purge(10)).erased, 1)
      assert.deepEqual(await store.find([short.id]), [undefined])
      clock.advance(DAY - 1 - HOUR)
      assert.equal((await store.purge(10)).erased, 0)
      clock.advance(1)
      assert.equal((await store.purge(10)).erased, 1)
      assert.deepEqual(await store.find([long.id]), [undefined])
    }
  },

  'C10 a job cancelled twice in one moment is kept by the last': async (store, clock) => {
    const [job, other] = [chore(), chore()]
    await store.insert([job, other])
    await store.cancel(cancels([job.id, other.id], HOUR))
    await store.retry([job.id])
    await store.cancel(cancels([job.id], DAY))
    clock.advance(HOUR)
    assert.equal((await store.purge(10)).erased, 1)
    assert.equal((await seen(store, job.id)).state, 'cancelled')
    clock.advance(DAY)
    assert.equal((await store.purge(10)).erased, 1)
  },

  'C9 a retried job is not late for having failed': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ expiresInMs: HOUR, deadlineMs: HOUR }))
    await worker.settle(job, failed({ reason: 'expired' }))
    clock.advance(DAY)
    await store.retry([job.id])
    const { expiresAt = Infinity, deadlineAt = Infinity } = await worker.claimOne()
    assert(expiresAt > clock.now() && deadlineAt > clock.now())
  },

  'C11 a retry brings a new input where one is given': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ input: bytes('old') }))
    await worker.settle(job, failed())
    await store.retry([job.id])
    const second = await worker.claimOne()
    assert.equal(textOf(second.input), 'old')
    await worker.settle(second, failed())
    await store.retry([job.id], bytes('new'))
    assert.equal(textOf((await worker.claimOne()).input), 'new')
  },

  'C3 a job that has not failed is not retried, whatever the input': async (store) => {
    const worker = await Hand.register(store)
    const [completedJob, waiting] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.settle(completedJob, completed())
    await worker.settle(waiting, parked())
    const held = await running(store, worker, chore())
    const [ready, scheduled] = [chore(), chore({ delayMs: HOUR })]
    await store.insert([ready, scheduled])

    const ids = [ready.id, scheduled.id, held.id, waiting.id, completedJob.id]
    const before = await store.find(ids)
    const answers = await store.retry([...ids, newId()], bytes('other'))
    assert.deepEqual(answers, ['ready', 'scheduled', 'running', 'waiting', 'completed', 'gone'])
    assert.deepEqual(await store.find(ids), before)
    assert.equal(await worker.settle(held, completed()), 'done')
  },

  'C8 ten retries of one job at once give it one more life': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed())
    const answers = await Promise.all(Array.from({ length: 10 }, () => store.retry([job.id])))
    assert.equal(answers.flat().filter((answer) => answer === 'retried').length, 1)
    assert.equal((await worker.claim(5)).length, 1)
  },

  'C15 one whose called jobs are still asked to end is not retried before they have': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    const parent = await running(store, worker, chore())
    const [held, idle, free] = ['held', 'idle', 'free'].map((queue) =>
      chore({ queue, parent: { id: parent.id, name: queue } }),
    )
    assert(held && idle && free)
    for (const child of [held, idle])
      await worker.note(parent, { step: { name: child.queue, value: bytes('1') }, child })
    const runs = await worker.claimOne('held')
    await worker.settle(parent, { to: 'cancelled', keepMs: DAY })
    assert.deepEqual(await store.retry([parent.id]), ['cancelled'])
    const letter = { to: parent.id, name: 'call:held', key: `${held.id} 1`, value: bytes('') }
    const word = { ...letter, urgent: true }
    await worker.settle(runs, { to: 'cancelled', keepMs: DAY, word })
    assert.deepEqual(await store.retry([parent.id]), ['cancelled'])
    await worker.settle(await worker.claimOne('idle'), { to: 'cancelled', keepMs: DAY })
    assert.deepEqual(await store.retry([parent.id]), ['retried'])
    // What they said of the life that is over is no word in this one.
    const next = await worker.claimOne()
    assert.deepEqual([next.id, next.mail], [parent.id, undefined])
    // Nobody asked those to end whose caller failed.
    await worker.note(next, { step: { name: 'free', value: bytes('1') }, child: free })
    await worker.settle(next, failed())
    assert.deepEqual(await store.retry([parent.id]), ['retried'])
  },
}
