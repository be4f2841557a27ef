import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import type { LogLine } from '../../../src/job/job.ts'
import { Hand, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
import { bytes, chore, chores, completed, released, textOf } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const lines = (count: number, text = 'line'): Omit<LogLine, 'fence'>[] =>
  Array.from({ length: count }, (_, i) => ({ at: 1000 + i, level: 'info', text: `${text} ${i}` }))

export const note: Clauses = {
  'C3 the holder notes progress and log lines': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const { rev } = await seen(store, job.id)
    assert.equal(await worker.note(job, { progress: bytes('1'), log: lines(2) }), 'done')
    const after = await seen(store, job.id)
    assert.equal(textOf(after.progress), '1')
    assert(after.rev > rev)
    const [first, second] = await store.logs(job.id, 0, 10)
    assert(first && second && second.n > first.n)
    const { n: _, ...line } = first
    assert.deepEqual(line, { at: 1000, fence: job.fence, level: 'info', text: 'line 0' })
  },

  'C3 a note that says nothing of progress leaves it as it was': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.note(job, { progress: bytes('7') })
    await worker.note(job, { log: lines(1) })
    assert.equal(textOf((await seen(store, job.id)).progress), '7')
  },

  'C3 a stale holder notes nothing': async (store, clock) => {
    const [first, second] = [await Hand.register(store), await Hand.register(store)]
    const stale = await running(store, first, chore())
    await pass(clock, 2 * LEASE_MS, second)
    const current = only(await second.sweep())
    const before = await seen(store, stale.id)
    assert.equal(await first.note(stale, { progress: bytes('9'), log: lines(1) }), 'stale')
    assert.equal(await second.note(stale, { progress: bytes('9'), log: lines(1) }), 'stale')
    assert.deepEqual(await seen(store, stale.id), before)
    assert.deepEqual(await store.logs(stale.id, 0, 10), [])
    assert.equal(await second.note(current, { progress: bytes('1') }), 'done')
  },

  'C3 a note after the end changes nothing': async (store) => {
    const worker = await Hand.register(store)
    const [ended, given] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.settle(ended, completed())
    await worker.settle(given, released())
    for (const job of [ended, given]) {
      const before = await seen(store, job.id)
      assert.notEqual(await worker.note(job, { progress: bytes('9'), log: lines(1) }), 'done')
      assert.deepEqual(await seen(store, job.id), before)
      assert.deepEqual(await store.logs(job.id, 0, 10), [])
    }
  },

  'C1 a refused note leaves its neighbours alone': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(2))
    const [a, b] = await worker.claim(2)
    assert(a && b)
    const progress = bytes('5')
    const answers = await store.note(worker.id, [
      { id: newId(), fence: 1, progress },
      { id: a.id, fence: a.fence - 1, progress },
      { id: b.id, fence: b.fence, progress },
    ])
    assert.deepEqual(answers, ['gone', 'stale', 'done'])
    assert.deepEqual(
      [(await seen(store, a.id)).progress, textOf((await seen(store, b.id)).progress)],
      [undefined, '5'],
    )
  },

  'C1 log lines are read on from where one stopped': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.note(job, { log: lines(30, 'early') })
    await worker.note(job, { log: lines(30, 'late') })
    const page = await store.logs(job.id, 0, 40)
    const rest = await store.logs(job.id, page.at(-1)?.n ?? 0, 40)
    const texts = [...page, ...rest].map(({ text }) => text)
    assert.deepEqual(
      texts,
      [...lines(30, 'early'), ...lines(30, 'late')].map(({ text }) => text),
    )
  },

  'C1 a job keeps a thousand log lines': async (store) => {
    const worker = await Hand.register(store)
    const [job, other] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.note(job, { log: lines(600) })
    await worker.note(other, { log: lines(1) })
    await worker.note(job, { log: lines(600) })
    await worker.note(job, { log: lines(1) })
    assert.equal((await store.logs(job.id, 0, 5000)).length, 1000)
    assert.equal((await store.logs(other.id, 0, 5000)).length, 1)
  },
}
