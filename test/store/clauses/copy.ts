import assert from 'node:assert/strict'
import { copyAll } from '../../support/copies.ts'
import { Hand, idsOf, only, running } from '../../support/hand.ts'
import { bytes, chore, chores, completed, DAY, failed, HOUR, SECOND } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

export const copy: Clauses = {
  'C10 a copy holds every job once, in the order of arrival, however small its pages': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    const jobs = [...chores(280, { queue: 'mail' }), ...chores(30), ...chores(9, { delayMs: HOUR })]
    await store.insert(jobs)
    await worker.settleAll((await worker.claim(5)).slice(1), completed())
    for (const limit of [1000, 7]) {
      const all = await copyAll(store, limit)
      assert.deepEqual(idsOf(all.jobs), idsOf(jobs))
    }
    const counted = Object.groupBy((await copyAll(store)).jobs, ({ state }) => state)
    const counts = Object.entries(counted).map(([state, some]) => [state, some.length])
    assert.deepEqual(Object.fromEntries(counts), {
      ready: 305,
      running: 1,
      completed: 4,
      scheduled: 9,
    })
  },

  'C10 a copy is over after a store that holds nothing, and after one that was emptied': async (
    store,
    clock,
  ) => {
    assert.deepEqual(await copyAll(store), { jobs: [], aliases: [], batches: [] })
    const worker = await Hand.register(store)
    await store.insert(chores(300))
    while ((await worker.settleAll(await worker.claim(100), completed())).length > 0);
    clock.advance(2 * DAY)
    await store.purge(1000)
    const last = chore()
    await store.insert([last])
    assert.deepEqual(idsOf((await copyAll(store, 10)).jobs), [last.id])
  },

  'C10 a page ends early where jobs are large': async (store) => {
    const jobs = chores(12, { input: bytes('x'.repeat(900_000)) })
    await store.insert(jobs)
    const { jobs: first } = await store.copy(12)
    assert(first.length < 12 && first.length > 1)
    assert.deepEqual(idsOf((await copyAll(store, 12)).jobs), idsOf(jobs))
  },

  'C11 a copy has all that a job left': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ tags: ['red'] }))
    const line = { at: clock.now(), level: 'warn', text: 'slow' } as const
    await worker.note(job, { progress: bytes('half'), log: [line, { ...line, text: 'slower' }] })
    await worker.note(job, { step: { name: 'paid', value: bytes('1') } })
    await store.post([{ to: job.id, name: 'go', key: '', value: bytes('2') }])
    await worker.settle(job, failed())
    await store.retry([job.id])
    clock.advance(SECOND)
    const again = await worker.claimOne()
    const file = { file: 'a.csv', type: 'text/csv', bytes: 3, sha256: 'ab'.repeat(32) }
    const artifacts = [{ ...file, keepMs: DAY }]
    await worker.settle(again, completed({ result: bytes('out'), artifacts }))

    const { attempts, log, steps, mail, ...rest } = only((await copyAll(store)).jobs)
    const [{ turn: _, ...found } = assert.fail()] = await store.find([job.id])
    assert.deepEqual(rest, found)
    assert.deepEqual(attempts, await store.attempts(job.id))
    assert.deepEqual(steps, await store.steps(job.id))
    assert.deepEqual(mail, await store.mail(job.id))
    assert.deepEqual([steps.length, mail.length], [1, 1])
    const lines = (await store.logs(job.id, 0, 10)).map(({ n: __, ...one }) => one)
    assert.deepEqual([log, log.length], [lines, 2])
  },

  'C8 a copy tells for how long a unique value is held, and which requests joined': async (
    store,
    clock,
  ) => {
    const unique = { value: 'report', until: 'kept', onConflict: 'join' } as const
    const [first, request] = [chore({ unique }), chore({ unique, fingerprint: 'a' })]
    await store.insert([first, request])
    const others = chores(5, { unique })
    await store.insert(others.map((job, i) => ({ ...job, fingerprint: `${i}` })))
    for (const limit of [100, 2]) {
      const { jobs, aliases } = await copyAll(store, limit)
      assert.deepEqual(only(jobs).unique, { value: 'report', until: 'kept' })
      assert.equal(aliases.length, 6)
      assert.deepEqual(
        aliases.find(({ id }) => id === request.id),
        { id: request.id, job: first.id, fingerprint: 'a', until: clock.now() + DAY },
      )
    }
  },
}
