import assert from 'node:assert/strict'
import type { NewJob, Unique } from '../../../src/job/job.ts'
import { Hand, only, running } from '../../support/hand.ts'
import {
  again,
  cancelled,
  cancels,
  chore,
  completed,
  DAY,
  failed,
  HOUR,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const holding = (unique: Partial<Unique> = {}, over: Partial<NewJob> = {}): NewJob =>
  chore({ unique: { value: 'report', until: 'end', onConflict: 'join', ...unique }, ...over })

export const unique: Clauses = {
  'C8 a second job with the same unique value joins the first': async (store) => {
    const [first, second, third] = [holding(), holding(), holding()]
    const answers = await store.insert([first, second])
    assert.deepEqual(answers, [
      { id: first.id, joined: false },
      { id: first.id, joined: true },
    ])
    assert.deepEqual(await store.insert([third]), [{ id: first.id, joined: true }])
    assert.deepEqual(await store.find([second.id, third.id]), [undefined, undefined])
    assert.equal(await store.holder('', 'chore', 'report'), first.id)
  },

  'C8 a second job with the same unique value is refused where that was asked for': async (
    store,
  ) => {
    const first = holding({ onConflict: 'refuse' })
    await store.insert([first])
    const answer = only(await store.insert([holding({ onConflict: 'refuse' })]))
    assert.deepEqual(answer, { id: first.id, refused: 'UNIQUE_TAKEN' })
    assert.equal(only(await store.tally()).accepted, 1)
  },

  'C8 a unique value counts within one tenant and one job name': async (store) => {
    const jobs = [
      holding(),
      holding({}, { tenant: 'acme' }),
      holding({}, { job: 'other' }),
      holding({ value: 'x' }),
    ]
    const answers = await store.insert(jobs)
    assert(answers.every((answer) => 'joined' in answer && !answer.joined))
    assert.equal(await store.holder('acme', 'chore', 'report'), jobs[1]?.id)
    assert.equal(await store.holder('acme', 'other', 'report'), undefined)
  },

  'C8 twenty inserts of one unique value at once make one job': async (store) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => store.insert([holding()])))
    assert.equal(new Set(answers.flat().map(({ id }) => id)).size, 1)
    assert.equal(only(await store.tally()).accepted, 1)
  },

  'C8 a unique value is held while the job waits for its next attempt': async (store) => {
    const worker = await Hand.register(store)
    const first = holding()
    await worker.settle(await running(store, worker, first), again(HOUR))
    assert.deepEqual(await store.insert([holding()]), [{ id: first.id, joined: true }])
  },

  'C8 completion releases a value held until the end': async (store) => {
    const worker = await Hand.register(store)
    await worker.settle(await running(store, worker, holding()), completed())
    assert.equal(await store.holder('', 'chore', 'report'), undefined)
    const next = holding()
    assert.deepEqual(await store.insert([next]), [{ id: next.id, joined: false }])
  },

  'C8 completion keeps a value that is held as long as the job is kept': async (store, clock) => {
    const worker = await Hand.register(store)
    const first = holding({ until: 'kept' })
    await worker.settle(await running(store, worker, first), completed({ keepMs: DAY }))
    assert.deepEqual(await store.insert([holding({ until: 'kept' })]), [
      { id: first.id, joined: true },
    ])

    clock.advance(DAY + 1)
    assert.equal((await store.purge(10)).erased, 1)
    const next = holding({ until: 'kept' })
    assert.deepEqual(await store.insert([next]), [{ id: next.id, joined: false }])
  },

  'C8 failed and cancelled release a value however long it was to be held': async (store) => {
    const worker = await Hand.register(store)
    for (const until of ['end', 'kept'] as const) {
      for (const outcome of [failed(), cancelled()]) {
        await worker.settle(await running(store, worker, holding({ until })), outcome)
        assert.equal(await store.holder('', 'chore', 'report'), undefined)
      }
      const idle = holding({ until })
      await store.insert([idle])
      await store.cancel(cancels([idle.id]))
      assert.equal(await store.holder('', 'chore', 'report'), undefined)
    }
  },

  'C8 a repeated id finds its own job although another holds its unique value by now': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    const [first, second] = [holding({}, { fingerprint: 'a' }), holding({}, { fingerprint: 'b' })]
    await worker.settle(await running(store, worker, first), completed())
    await store.insert([second])
    assert.deepEqual(await store.insert([first]), [{ id: first.id, joined: true }])
    const other = { ...first, fingerprint: 'c' }
    assert.deepEqual(await store.insert([other]), [{ id: first.id, refused: 'ID_TAKEN' }])
  },

  'C8 a request that joined by its unique value finds the same job again, though that has ended':
    async (store, clock) => {
      const worker = await Hand.register(store)
      const first = holding()
      const job = await running(store, worker, first)
      const request = holding({}, { fingerprint: 'a' })
      assert.deepEqual(await store.insert([request]), [{ id: first.id, joined: true }])
      await worker.settle(job, completed())
      assert.deepEqual(await store.insert([request]), [{ id: first.id, joined: true }])
      const other = { ...request, fingerprint: 'b' }
      assert.deepEqual(await store.insert([other]), [{ id: request.id, refused: 'ID_TAKEN' }])
      clock.advance(DAY + 1)
      await store.purge(100)
      assert.deepEqual(await store.insert([request]), [{ id: request.id, joined: false }])
    },

  'C8 a retry takes its unique value again': async (store) => {
    const worker = await Hand.register(store)
    const first = holding()
    await worker.settle(await running(store, worker, first), failed())
    assert.deepEqual(await store.retry([first.id]), ['retried'])
    assert.equal(await store.holder('', 'chore', 'report'), first.id)
    assert.deepEqual(await store.insert([holding()]), [{ id: first.id, joined: true }])
  },

  'C8 a retry is told when its unique value was taken meanwhile': async (store) => {
    const worker = await Hand.register(store)
    const [first, second] = [holding(), holding()]
    await worker.settle(await running(store, worker, first), failed())
    await store.insert([second])
    assert.deepEqual(await store.retry([first.id]), ['taken'])
    assert.equal((await store.find([first.id]))[0]?.state, 'failed')
    assert.equal(await store.holder('', 'chore', 'report'), second.id)
  },
}
