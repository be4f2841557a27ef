import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { Hand, only, running, seen } from '../../support/hand.ts'
import {
  bytes,
  cancelled,
  cancels,
  chore,
  completed,
  DAY,
  failed,
  HOUR,
  parked,
} from '../../support/jobs.ts'
import { post } from '../../support/letters.ts'
import type { Clauses } from '../conform.ts'

const named = (id = newId()) => chore({ id, fingerprint: 'f' })

export const erase: Clauses = {
  'C10 a job that has ended is erased at once, with all it left': async (store) => {
    const worker = await Hand.register(store)
    const unique = { value: 'once', until: 'kept', onConflict: 'join' } as const
    const job = await running(store, worker, chore({ tags: ['blue'], unique }))
    await worker.note(job, {
      log: [{ at: 1, level: 'info', text: 'hello' }],
      step: { name: 'one', value: bytes('1') },
    })
    await post(store, job.id, 'go')
    const file = { file: 'a', type: 'text/plain', bytes: 1, sha256: '0a', keepMs: DAY }
    await worker.settle(job, completed({ artifacts: [file] }))

    assert.deepEqual(await store.erase([job.id]), ['erased'])
    assert.deepEqual(await store.find([job.id]), [undefined])
    assert.deepEqual((await store.list({ tag: 'blue' }, 10)).jobs, [])
    const left = [
      await store.attempts(job.id),
      await store.logs(job.id, 0, 10),
      await store.steps(job.id),
      await store.mail(job.id),
    ]
    assert.deepEqual(left.flat(), [])
    assert.equal(await store.holder('', 'chore', 'once'), undefined)
    assert.deepEqual(await store.erase([job.id]), ['gone'])
    const { accepted, erased, completed: kept } = only(await store.tally())
    assert.deepEqual([accepted, erased, kept], [1, 1, 0])
  },

  'C10 what was erased is not purged again': async (store, clock) => {
    const worker = await Hand.register(store)
    const [job, other] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.settleAll([job, other], failed({ keepMs: HOUR }))
    assert.deepEqual(await store.erase([job.id]), ['erased'])
    clock.advance(HOUR)
    assert.equal((await store.purge(10)).erased, 1)
    assert.equal(only(await store.tally()).erased, 2)
  },

  'C3 a job that lives is not erased: its state is the answer': async (store) => {
    const worker = await Hand.register(store)
    const [held, waiting] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.settle(waiting, parked())
    const [ready, scheduled] = [chore(), chore({ delayMs: HOUR })]
    await store.insert([ready, scheduled])
    const ids = [held.id, waiting.id, ready.id, scheduled.id]
    const before = await store.find(ids)
    assert.deepEqual(await store.erase([...ids, newId()]), [
      'running',
      'waiting',
      'ready',
      'scheduled',
      'gone',
    ])
    assert.deepEqual(await store.find(ids), before)
    assert.equal(await worker.settle(held, completed()), 'done')
  },

  'C12 a job stays while a hook of it may run, and goes when none may': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const hook = chore({ queue: 'hooks', subject: job.id })
    await worker.settle(job, failed({ hook }))
    assert.deepEqual(await store.erase([job.id]), ['hooked'])
    await worker.settle(await worker.claimOne('hooks'), failed())
    assert.deepEqual(await store.erase([job.id]), ['hooked'])
    // Both in one call, the hook first.
    assert.deepEqual(await store.erase([hook.id, job.id]), ['erased', 'erased'])
  },

  'C12 a hook that completed holds nothing back': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, completed({ hook: chore({ queue: 'hooks', subject: job.id }) }))
    await worker.settle(await worker.claimOne('hooks'), completed())
    assert.deepEqual(await store.erase([job.id]), ['erased'])
  },

  'C8 a repeat of a request whose job was erased makes no other job, for a day': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = named()
    await worker.settle(await running(store, worker, job), completed({ keepMs: 7 * DAY }))
    assert.deepEqual(await store.erase([job.id]), ['erased'])
    assert.deepEqual(await store.insert([job]), [{ id: job.id, refused: 'JOB_ERASED' }])
    assert.deepEqual(await store.insert([{ ...job, fingerprint: 'another' }]), [
      { id: job.id, refused: 'ID_TAKEN' },
    ])
    clock.advance(DAY - 1)
    await store.purge(10)
    assert.deepEqual(await store.insert([job]), [{ id: job.id, refused: 'JOB_ERASED' }])
    clock.advance(1)
    await store.purge(10)
    assert.deepEqual(await store.insert([job]), [{ id: job.id, joined: false }])
  },

  'C8 who made the id itself may use it again': async (store) => {
    const job = chore()
    await store.insert([job])
    await store.cancel(cancels([job.id]))
    assert.deepEqual(await store.erase([job.id]), ['erased'])
    assert.deepEqual(await store.insert([job]), [{ id: job.id, joined: false }])
    assert.equal((await seen(store, job.id)).state, 'ready')
  },

  'C15 what a child said of its end stays with its parent': async (store) => {
    const [parent, child] = [chore(), chore()]
    await store.insert([parent, child])
    const word = { to: parent.id, name: 'call:part', key: `${child.id} 0.1`, value: bytes('"x"') }
    await store.cancel([{ id: child.id, outcome: { ...cancelled(), word } }])
    assert.deepEqual(await store.erase([child.id]), ['erased'])
    assert.equal((await store.mail(parent.id)).length, 1)
  },

  'C8 ten erasures of one job at once count once': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed())
    const answers = await Promise.all(Array.from({ length: 10 }, () => store.erase([job.id])))
    assert.equal(answers.flat().filter((answer) => answer === 'erased').length, 1)
    assert.equal(only(await store.tally()).erased, 1)
  },
}
