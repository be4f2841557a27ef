import assert from 'node:assert/strict'
import type { JobId } from '../../../src/job/job.ts'
import type { Outcome } from '../../../src/job/outcome.ts'
import type { Store } from '../../../src/store/contract.ts'
import { accepted, Hand, type Held, idsOf, running, seen } from '../../support/hand.ts'
import {
  again,
  cancels,
  chore,
  chores,
  completed,
  failed,
  HOUR,
  released,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

/** Claims, settling what came before, until nothing is left. */
async function drain(hand: Hand, limit: number): Promise<JobId[]> {
  const taken: JobId[] = []
  let jobs = await hand.claim(limit)
  while (jobs.length > 0) {
    taken.push(...idsOf(jobs))
    const settlements = jobs.map(({ id, fence }) => ({ id, fence, outcome: completed() }))
    jobs = accepted(await hand.exchange(settlements, limit)).jobs
  }
  return taken
}

const eight = (store: Store) => Promise.all(Array.from({ length: 8 }, () => Hand.register(store)))

export const claim: Clauses = {
  'C2 a ready job is handed to one worker': async (store, clock) => {
    const [one, two] = [await Hand.register(store), await Hand.register(store)]
    const job = chore()
    const claimed = await running(store, one, job)
    assert.equal(claimed.id, job.id)
    assert.deepEqual(await two.claim(), [])

    const { state, worker, startedAt, fence } = await seen(store, job.id)
    assert.deepEqual(
      [state, worker, startedAt, fence],
      ['running', one.id, clock.now(), claimed.fence],
    )
  },

  'C2 eight workers at once are handed each of a thousand jobs once': async (store) => {
    const jobs = chores(1000)
    await store.insert(jobs)
    const workers = await eight(store)
    const taken = await Promise.all(workers.map((worker) => drain(worker, 20)))
    assert.deepEqual(taken.flat().toSorted(), idsOf(jobs).toSorted())
  },

  'C2 eight workers that want one job get it once': async (store) => {
    const workers = await eight(store)
    for (let round = 0; round < 5; round++) {
      await store.insert([chore()])
      const taken = await Promise.all(workers.map((worker) => worker.claim(5)))
      assert.equal(taken.flat().length, 1)
    }
  },

  'C2 every claim raises the fence': async (store) => {
    const worker = await Hand.register(store)
    let { id, fence } = await running(store, worker, chore())
    for (let round = 0; round < 5; round++) {
      await worker.settle({ id, fence }, released())
      const next = await worker.claimOne()
      assert(next.fence > fence)
      fence = next.fence
    }
  },

  'C2 a fence is at least the time of its claim': async (store, clock) => {
    const worker = await Hand.register(store)
    assert((await running(store, worker, chore())).fence >= clock.now())
  },

  'C2 fences rise although the clock goes back': async (store, clock) => {
    const worker = await Hand.register(store)
    const first = await running(store, worker, chore())
    await worker.settle(first, released())
    clock.set(clock.now() - HOUR)
    const second = await worker.claimOne()
    assert(second.fence > first.fence)
    assert.equal(await worker.settle(first, completed()), 'stale')
    assert.equal(await worker.settle(second, completed()), 'done')
  },

  'C2 a claim takes no more than its limit': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(10))
    assert.equal((await worker.claim(3)).length, 3)
    assert.equal((await worker.claim(0)).length, 0)
    assert.equal((await worker.claim(100)).length, 7)
  },

  'C2 a claim leaves other queues alone': async (store) => {
    const worker = await Hand.register(store)
    await store.insert(chores(3, { queue: 'mail' }))
    assert.deepEqual(await worker.claim(10, 'default', 'video'), [])
    assert.equal((await worker.claim(10, 'mail')).length, 3)
  },

  'C2 a claim that names no queue takes of all, each first in its turn': async (store) => {
    const worker = await Hand.register(store)
    await store.insert([...chores(6, { queue: 'mail' }), ...chores(6, { queue: 'video' })])
    const queues: (string | undefined)[] = []
    for (let round = 0; round < 8; round++)
      queues.push(accepted(await worker.exchange([], 1, [])).jobs[0]?.queue)
    assert.deepEqual(new Set(queues), new Set(['mail', 'video']))
    assert.equal(accepted(await worker.exchange([], 10, [])).jobs.length, 4)
  },

  'C2 a claim that names no queue takes what its own trip made ready': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ queue: 'mail' }))
    const follower = chore({ queue: 'hooks', subject: job.id })
    const takes = async (outcome: Outcome, held: Held) =>
      idsOf(accepted(await worker.exchange([{ ...held, outcome }], 10, [])).jobs)
    const fenceNow = async () => ({ id: job.id, fence: (await seen(store, job.id)).fence })
    assert.deepEqual(await takes(released(), job), [job.id])
    assert.deepEqual(await takes(again(0), await fenceNow()), [job.id])
    assert.deepEqual(await takes(again(HOUR), await fenceNow()), [])
    clock.advance(HOUR)
    assert.deepEqual(idsOf(accepted(await worker.exchange([], 10, [])).jobs), [job.id])
    assert.deepEqual(await takes(failed({ hook: follower }), await fenceNow()), [follower.id])
  },

  'C2 a job that comes after an erased one is handed to nobody for it': async (store) => {
    const [first, second] = [await Hand.register(store), await Hand.register(store)]
    // Within one moment, so that fences do not tell the two apart.
    for (const job of [chore(), chore()]) {
      const erased = await running(store, first, job)
      await first.settle(erased, completed({ keepMs: 0 }))
      assert.equal((await store.purge(10)).erased, 1)
      // Another job where the erased one lay, and the erased one's own id once more.
      const next = await running(store, second, chore())
      const same = await running(store, second, job)
      assert.deepEqual(accepted(await first.repeat(first.n - 1, [])).jobs, [])
      assert.deepEqual(accepted(await second.repeat(second.n, [])).jobs, [same])
      assert.deepEqual(idsOf((await store.list({ state: 'running' }, 10)).jobs), [next.id, same.id])
      await store.cancel(cancels([next.id, same.id]))
      assert.deepEqual(await first.renew(), { alive: true, cancelAsked: [] })
      assert.deepEqual(await store.verify(), [])
      for (const held of [next, same])
        assert.equal(await second.settle(held, completed({ keepMs: 0 })), 'done')
      assert.equal((await store.purge(10)).erased, 2)
    }
  },

  'C2 a worker that nobody knows is handed nothing': async (store) => {
    await store.insert(chores(1))
    assert.deepEqual(await new Hand(store).exchange([], 1), { refused: 'gone' })
    assert.deepEqual(await store.sweep(new Hand(store).id, 1, 1), { refused: 'gone' })
  },
}
