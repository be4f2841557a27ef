import assert from 'node:assert/strict'
import type { Outcome } from '../../../src/job/outcome.ts'
import type { Settlement } from '../../../src/store/contract.ts'
import { accepted, Hand, type Held, idsOf, only, running, seen } from '../../support/hand.ts'
import { again, chore, chores, completed, failed, HOUR } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const end = ({ id, fence }: Held, outcome: Outcome = completed()): Settlement => ({
  id,
  fence,
  outcome,
})
const isClosed = { refused: 'closed' }

export const exchange: Clauses = {
  'C4 a repeated exchange gives the same jobs': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(5))
    const first = accepted(await worker.repeat(1, [], 2))
    const repeated = accepted(await worker.repeat(1, [], 2))
    assert.equal(first.jobs.length, 2)
    assert.deepEqual(repeated.jobs, first.jobs)
    assert.equal(only(await store.tally()).running, 2)
  },

  'C4 a repeated exchange asks for more and is given the same': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(5))
    const first = accepted(await worker.repeat(1, [], 2))
    assert.deepEqual(accepted(await worker.repeat(1, [], 5)).jobs, first.jobs)
  },

  'C4 a repeated exchange that was handed nothing is handed nothing': async (store) => {
    const worker = await Hand.register(store)
    assert.deepEqual(accepted(await worker.repeat(1, [], 5)).jobs, [])
    await store.insert(chores(3))
    assert.deepEqual(accepted(await worker.repeat(1, [], 5)).jobs, [])
    assert.equal(accepted(await worker.repeat(2, [], 5)).jobs.length, 3)
  },

  'C4 a repeated settlement answers already and changes nothing': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const n = ++worker.n
    assert.deepEqual(accepted(await worker.repeat(n, [end(job, again(HOUR))], 0)).answers, ['done'])
    const before = await seen(store, job.id)
    clock.advance(1000)
    assert.deepEqual(accepted(await worker.repeat(n, [end(job, again(HOUR))], 0)).answers, [
      'already',
    ])
    assert.deepEqual(await worker.settle(job, completed()), 'already')
    assert.deepEqual(await seen(store, job.id), before)
    assert.equal((await store.attempts(job.id)).length, 1)
  },

  'C4 a repeated exchange settles nothing twice and gives the same jobs': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(4))
    const held = await worker.claim(2)
    const first = accepted(
      await worker.repeat(
        2,
        held.map((job) => end(job)),
        1,
      ),
    )
    const repeated = accepted(
      await worker.repeat(
        2,
        held.map((job) => end(job)),
        1,
      ),
    )
    assert.deepEqual(first.answers, ['done', 'done'])
    assert.deepEqual(repeated.answers, ['already', 'already'])
    assert.deepEqual(repeated.jobs, first.jobs)
    const { running: still, completed: ended } = only(await store.tally())
    assert.deepEqual([still, ended], [1, 2])
  },

  'C4 one number sent eight times at once hands out once': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(20))
    const replies = await Promise.all(Array.from({ length: 8 }, () => worker.repeat(1, [], 2)))
    const [first, ...others] = replies.map((reply) => accepted(reply).jobs)
    for (const other of others) assert.deepEqual(other, first)
    assert.equal(only(await store.tally()).running, 2)
  },

  'C4 of two exchanges in flight the second may arrive first': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(4))
    const second = accepted(await worker.repeat(2, [], 2)).jobs
    const first = accepted(await worker.repeat(1, [], 2)).jobs
    assert.equal(new Set(idsOf([...first, ...second])).size, 4)
    assert.deepEqual(accepted(await worker.repeat(2, [], 2)).jobs, second)
    assert.deepEqual(accepted(await worker.repeat(1, [], 2)).jobs, first)
  },

  'C4 an exchange older than the last two is refused as closed': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(9))
    const [job] = accepted(await worker.repeat(1, [], 1)).jobs
    await worker.repeat(2, [], 1)
    await worker.repeat(3, [], 1)
    assert(job)
    assert.deepEqual(await worker.repeat(1, [end(job)], 1), isClosed)
    assert.equal((await seen(store, job.id)).state, 'running')
    assert.deepEqual(await store.sweep(worker.id, 1, 1), isClosed)
    assert.equal(accepted(await worker.repeat(2, [], 1)).jobs.length, 1)
  },

  'C4 empty exchanges close older ones too': async (store) => {
    const worker = await Hand.register(store)
    await worker.repeat(2, [], 0)
    await worker.repeat(3, [], 0)
    await store.insert(chores(1))
    assert.deepEqual(await worker.repeat(1, [], 1), isClosed)
  },

  'C4 a repeat after its jobs were settled hands out no others': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(5))
    const jobs = accepted(await worker.repeat(1, [], 2)).jobs
    await worker.repeat(
      2,
      jobs.map((job) => end(job)),
      0,
    )
    await worker.repeat(1, [], 2)
    const { running: still, ready, completed: ended } = only(await store.tally())
    assert.deepEqual([still, ready, ended], [0, 3, 2])
  },

  'C4 a repeated exchange gives each job its own, although some have ended': async (store) => {
    const worker = await Hand.register(store)
    await store.insert([chore({ priority: 1 }), chore({ priority: 2, deadlineMs: HOUR }), chore()])
    const [first, ...others] = await worker.claim(3)
    assert(first && others[0]?.deadlineAt !== undefined)
    const settled = accepted(await worker.repeat(1, [end(first)], 3))
    assert.deepEqual(settled.jobs, others)
  },

  'C3 a job that is settled twice in one exchange ends as it was settled first': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const twice = [end(job, failed()), end(job, again(0))]
    assert.deepEqual(accepted(await worker.exchange(twice)).answers, ['done', 'already'])
    assert.equal((await seen(store, job.id)).state, 'failed')
    assert.equal((await store.attempts(job.id)).length, 1)
  },

  'C5 a job claimed again stands in its new receipt only': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const settled = accepted(await worker.exchange([end(job, { to: 'ready', begun: false })], 1))
    const held = settled.jobs[0] ?? (await worker.claimOne())
    assert(held.fence > job.fence)
    assert.deepEqual(await store.verify(), [])
    assert.equal(only(await store.workers()).running, 1)
    assert.equal(await worker.settle(held, completed()), 'done')
  },

  'C5 what a worker holds is counted while old receipts are dropped': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(30))
    for (let round = 0; round < 10; round++) {
      const [first] = await worker.claim(3)
      assert(first)
      await worker.settle(first, completed())
      assert.deepEqual(await store.verify(), [])
    }
    assert.equal(only(await store.workers()).running, 20)
  },
}
