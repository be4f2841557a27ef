import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { accepted, Hand, running, seen } from '../../support/hand.ts'
import {
  again,
  bytes,
  cancelled,
  cancels,
  chore,
  chores,
  completed,
  failed,
  parked,
  released,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const hex = (given: Uint8Array | undefined) => given && Buffer.from(given).toString('hex')

export const settle: Clauses = {
  'C3 the holder records how its job ended': async (store, clock) => {
    const worker = await Hand.register(store)
    await store.insert(chores(3))
    const [a, b, c] = await worker.claim(3)
    assert(a && b && c)
    clock.advance(1000)
    assert.equal(
      await worker.settle(a, completed({ result: bytes('42'), withErrors: true })),
      'done',
    )
    assert.equal(await worker.settle(b, failed({ reason: 'timeout' })), 'done')
    assert.equal(await worker.settle(c, cancelled()), 'done')

    const [first, second, third] = [
      await seen(store, a.id),
      await seen(store, b.id),
      await seen(store, c.id),
    ]
    assert.deepEqual([first.state, second.state, third.state], ['completed', 'failed', 'cancelled'])
    assert.deepEqual([textOf(first.result), first.withErrors], ['42', true])
    assert.deepEqual(
      [second.reason, textOf(second.error), second.failures],
      ['timeout', 'broken', 1],
    )
    for (const job of [first, second, third]) assert.equal(job.endedAt, clock.now())
  },

  'C3 every way out of running is counted as it says': async (store) => {
    const worker = await Hand.register(store)
    const { id } = await running(store, worker, chore())
    let held = await seen(store, id)
    for (const outcome of [
      again(0),
      again(0, 'crashes'),
      again(0, 'losses'),
      again(0, 'losses'),
      released(),
    ]) {
      await worker.settle(held, outcome)
      held = await seen(store, (await worker.claimOne()).id)
    }
    assert.deepEqual([held.failures, held.crashes, held.losses], [1, 1, 2])
  },

  'C3 every visible change raises rev': async (store) => {
    const worker = await Hand.register(store)
    const job = chore()
    const revs: number[] = []
    const look = async () => void revs.push((await seen(store, job.id)).rev)
    await store.insert([job])
    await look()
    for (const outcome of [released(), again(0), parked()]) {
      const held = await worker.claimOne()
      await look()
      await worker.settle(held, outcome)
      await look()
    }
    await store.unpark(['chore'])
    await look()
    await store.cancel(cancels([job.id], 1))
    await look()
    await store.retry([job.id])
    await look()
    assert.deepEqual(
      revs,
      [...new Set(revs)].toSorted((a, b) => a - b),
    )
  },

  'C1 settlements are answered each for itself, in their order': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(3))
    const [a, b, c] = await worker.claim(3)
    assert(a && b && c)
    await worker.settle(b, completed())
    const settlements = [{ ...a, id: newId() }, a, b, { ...c, fence: c.fence - 1 }, a, c]
    const answers = await worker.settleAll(settlements, completed())
    assert.deepEqual(answers, ['gone', 'done', 'already', 'stale', 'already', 'done'])
  },

  'C1 an exchange that cannot be stored settles nothing and harms no other': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(3))
    const [a, b, c] = await worker.claim(3)
    assert(a && b && c)
    const bad = completed({ keepMs: Number.NaN })
    const [refused, answer] = await Promise.allSettled([
      worker.exchange([
        { ...a, outcome: completed() },
        { ...b, outcome: bad },
      ]),
      worker.settle(c, completed()),
    ])
    assert.deepEqual([refused.status, answer.status], ['rejected', 'fulfilled'])
    const states = (await store.find([a.id, b.id, c.id])).map((job) => job?.state)
    assert.deepEqual(states, ['running', 'running', 'completed'])
    assert.deepEqual(await worker.settleAll([a, b], completed()), ['done', 'done'])
  },

  'C1 a reply brings answers and jobs of one trip': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(5))
    const [first] = await worker.claim(1)
    assert(first)
    const { answers, jobs } = accepted(
      await worker.exchange([{ ...first, outcome: completed() }], 2),
    )
    assert.deepEqual([answers, jobs.length], [['done'], 2])
  },

  'C11 bytes come back exactly as they were given': async (store) => {
    const worker = await Hand.register(store)
    const large = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 256))
    const plain = new Uint8Array([0xff, 0, 0x7f])
    const view = new Uint8Array(large.buffer, large.byteOffset + 5, 300)
    for (const given of [Buffer.alloc(0), Buffer.of(0), plain, view, large]) {
      const job = await running(store, worker, chore({ input: given, policy: given }))
      assert.deepEqual([hex(job.input), hex(job.policy)], [hex(given), hex(given)])
      await worker.note(job, { progress: given })
      await worker.settle(job, completed({ result: given }))
      const { input, policy, progress, result } = await seen(store, job.id)
      for (const kept of [input, policy, progress, result]) assert.equal(hex(kept), hex(given))

      const broken = await running(store, worker, chore())
      await worker.settle(broken, failed({ error: given }))
      assert.equal(hex((await seen(store, broken.id)).error), hex(given))
    }
  },
}
