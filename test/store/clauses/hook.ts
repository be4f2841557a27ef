import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import type { Outcome } from '../../../src/job/outcome.ts'
import { Hand, only, pass, running, seen } from '../../support/hand.ts'
import {
  bytes,
  cancelled,
  chore,
  completed,
  DAY,
  failed,
  HOUR,
  SECOND,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const hookFor = (subject: { id: string }) => chore({ queue: 'hooks', subject: subject.id })

export const hook: Clauses = {
  'C12 the step that ends a job inserts its hook': async (store) => {
    const worker = await Hand.register(store)
    const endings: Outcome[] = [completed(), failed(), cancelled()]
    for (const outcome of endings) {
      const job = await running(store, worker, chore())
      const follower = hookFor(job)
      const ending = 'keepMs' in outcome ? { ...outcome, hook: follower } : outcome
      assert.equal(await worker.settle(job, ending), 'done')
      const hook = await worker.claimOne('hooks')
      assert.equal(hook.id, follower.id)
      assert.equal((await seen(store, hook.id)).subject, job.id)
      await worker.settle(hook, completed())
    }
    const hooks = (await store.tally()).find(({ queue }) => queue === 'hooks')
    assert.deepEqual([hooks?.accepted, hooks?.completed], [3, 3])
  },

  'C12 a hook is given what its subject had and left': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ input: bytes('"given"') }))
    const hook = hookFor(job)
    await worker.settle(job, completed({ result: bytes('"made"'), hook }))
    const { subject } = await worker.claimOne('hooks')
    assert.deepEqual(
      [textOf(subject?.input), textOf(subject?.result), subject?.error],
      ['"given"', '"made"', undefined],
    )
    const broken = await running(store, worker, chore())
    await worker.settle(broken, failed({ error: bytes('"why"'), hook: hookFor(broken) }))
    const second = await worker.claimOne('hooks')
    assert.deepEqual([textOf(second.subject?.error), second.subject?.result], ['"why"', undefined])
  },

  'C12 an ending that is told twice has one hook': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const settlement = { id: job.id, fence: job.fence, outcome: failed({ hook: hookFor(job) }) }
    await worker.exchange([settlement])
    await worker.repeat(worker.n, [settlement])
    await worker.exchange([settlement])
    assert.equal((await worker.claim(10, 'hooks')).length, 1)
  },

  'C12 who does not hold the fence inserts no hook': async (store, clock) => {
    const [late, sweeper] = [await Hand.register(store), await Hand.register(store)]
    const job = await running(store, late, chore())
    await pass(clock, 30 * SECOND, sweeper)
    const current = only(await sweeper.sweep())
    const answer = await sweeper.settle(job, failed({ hook: hookFor(job) }))
    assert.equal(answer, 'stale')
    assert.deepEqual(await sweeper.claim(10, 'hooks'), [])
    await sweeper.settle(current, failed({ hook: hookFor(job) }))
    assert.equal((await sweeper.claim(10, 'hooks')).length, 1)
  },

  'C12 a cancel that ends a job inserts its hook; one that only asks does not': async (store) => {
    const worker = await Hand.register(store)
    const [held, idle] = [await running(store, worker, chore()), chore()]
    await store.insert([idle])
    const cancel = ({ id }: { id: string }) => ({
      id,
      outcome: { ...cancelled(), hook: hookFor({ id }) },
    })
    assert.deepEqual(await store.cancel([cancel(held), cancel(idle)]), ['asked', 'cancelled'])
    assert.deepEqual(await store.cancel([cancel(idle), cancel({ id: newId() })]), [
      'cancelled',
      'gone',
    ])
    const hooks = await worker.claim(10, 'hooks')
    assert.deepEqual(
      await Promise.all(hooks.map(async ({ id }) => (await seen(store, id)).subject)),
      [idle.id],
    )
  },

  'C12 a subject stays for as long as its hook lives': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed({ keepMs: SECOND, hook: hookFor(job) }))
    clock.advance(DAY)
    assert.deepEqual(await store.purge(100), { erased: 0, withFiles: [] })
    const hook = await worker.claimOne('hooks')
    assert.notEqual(hook.subject, undefined)
    await worker.settle(hook, completed({ keepMs: DAY }))
    clock.advance(HOUR)
    assert.equal((await store.purge(100)).erased, 1)
    assert.deepEqual(await store.find([job.id]), [undefined])
  },

  'C12 a subject stays for as long as its hook may be retried': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ input: bytes('"given"') }))
    await worker.settle(job, completed({ keepMs: SECOND, hook: hookFor(job) }))
    for (const outcome of [failed({ keepMs: 30 * DAY }), cancelled()]) {
      const hook = await worker.claimOne('hooks')
      await worker.settle(hook, outcome)
      clock.advance(DAY / 2)
      assert.equal((await store.purge(100)).erased, 0)
      assert.deepEqual(await store.retry([hook.id]), ['retried'])
    }
    const hook = await worker.claimOne('hooks')
    assert.equal(textOf(hook.subject?.input), '"given"')
    await worker.settle(hook, failed({ keepMs: SECOND }))
    clock.advance(HOUR)
    await store.purge(100)
    clock.advance(HOUR)
    await store.purge(100)
    assert.deepEqual(await store.find([hook.id, job.id]), [undefined, undefined])
  },

  'C12 each life of a job ends with a hook of its own': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed({ hook: hookFor(job) }))
    await store.retry([job.id])
    const again = await worker.claimOne()
    await worker.settle(again, failed({ hook: hookFor(job) }))
    assert.equal((await worker.claim(10, 'hooks')).length, 2)
  },
}
