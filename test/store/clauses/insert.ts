import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import type { Transaction } from '../../../src/store/contract.ts'
import { Hand, idsOf, only, running, seen } from '../../support/hand.ts'
import { bytes, chore, chores, completed, HOUR, textOf } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

class Doomed implements Transaction {
  sent = 0
  async query(): Promise<never> {
    this.sent++
    throw new Error('undone')
  }
}

export const insert: Clauses = {
  'C1 a stored job is found as it was given': async (store, clock) => {
    const given = chore({ tenant: 'acme', priority: 2, tags: ['blue', 'big'], input: bytes('[1]') })
    const [answer] = await store.insert([given])
    assert.deepEqual(answer, { id: given.id, joined: false })

    const job = await seen(store, given.id)
    const { job: name, queue, tenant, priority, state, tags } = job
    assert.deepEqual(
      { name, queue, tenant, priority, state, tags: tags.toSorted() },
      {
        name: 'chore',
        queue: 'default',
        tenant: 'acme',
        priority: 2,
        state: 'ready',
        tags: ['big', 'blue'],
      },
    )
    assert.deepEqual([job.createdAt, job.runAt], [clock.now(), clock.now()])
    assert.deepEqual([job.failures, job.crashes, job.losses], [0, 0, 0])
    assert.deepEqual([job.withErrors, job.cancelAsked, job.artifacts.length], [false, false, 0])
    assert.deepEqual([job.worker, job.startedAt, job.endedAt], [undefined, undefined, undefined])
  },

  'C1 an unknown id is found as nothing, in its place': async (store) => {
    const [job] = chores(1)
    assert(job)
    await store.insert([job])
    const found = await store.find([newId(), job.id, newId()])
    assert.deepEqual(
      found.map((one) => one?.id),
      [undefined, job.id, undefined],
    )
  },

  'C1 one refused insert among ten leaves nine': async (store) => {
    const taken = chore({ fingerprint: 'first' })
    await store.insert([taken])
    const jobs = chores(10).with(4, { ...taken, fingerprint: 'second', input: bytes('other') })
    const answers = await store.insert(jobs)
    assert.deepEqual(answers[4], { id: taken.id, refused: 'ID_TAKEN' })
    assert.equal(answers.filter((answer) => 'joined' in answer && !answer.joined).length, 9)
    assert.equal((await store.find(idsOf(jobs))).filter(Boolean).length, 10)
    assert.equal(textOf((await seen(store, taken.id)).input), '{}')
  },

  'C1 a reader sees all of an insert or nothing of it': async (store) => {
    const jobs = chores(200)
    const inserting = store.insert(jobs)
    const looks = await Promise.all(Array.from({ length: 20 }, () => store.find(idsOf(jobs))))
    await inserting
    for (const look of looks) assert([0, 200].includes(look.filter(Boolean).length))
  },

  'C1 an insert that cannot be stored leaves nothing and harms no other': async (store) => {
    const [first, bad, third, neighbour] = [
      chore(),
      chore({ priority: Number.NaN }),
      chore(),
      chore(),
    ]
    const [refused, other] = await Promise.allSettled([
      store.insert([first, bad, third]),
      store.insert([neighbour]),
    ])
    assert.deepEqual([refused.status, other.status], ['rejected', 'fulfilled'])
    const found = await store.find(idsOf([first, bad, third, neighbour]))
    assert.deepEqual(
      found.map((job) => job?.id),
      [undefined, undefined, undefined, neighbour.id],
    )
  },

  'C1 a transaction that cannot be joined is refused before anything is sent, and one that fails stores nothing':
    async (store) => {
      const tx = new Doomed()
      const job = chore()
      await assert.rejects(
        () => store.insert([job], tx),
        (error: Error) =>
          String(Reflect.get(error, 'code')) ===
          (tx.sent === 0 ? 'TX_UNSUPPORTED' : 'STORE_FAILED'),
      )
      assert.deepEqual([await store.find([job.id]), await store.tally()], [[undefined], []])
    },

  'C1 nothing inserted is nothing answered': async (store) => {
    assert.deepEqual(await store.insert([]), [])
    assert.deepEqual(await store.find([]), [])
  },

  'C8 the same id with the same fingerprint joins the first job': async (store) => {
    const job = chore({ fingerprint: 'same' })
    const [first, twin] = await store.insert([job, job])
    assert.deepEqual(
      [first, twin],
      [
        { id: job.id, joined: false },
        { id: job.id, joined: true },
      ],
    )
    assert.deepEqual(await store.insert([job]), [{ id: job.id, joined: true }])
    assert.equal(only((await store.list({}, 10)).jobs).id, job.id)
  },

  'C8 the same id joins a job that has ended': async (store) => {
    const worker = await Hand.register(store)
    const job = chore({ fingerprint: 'same' })
    await worker.settle(await running(store, worker, job), completed())
    assert.deepEqual(await store.insert([job]), [{ id: job.id, joined: true }])
    assert.equal((await seen(store, job.id)).state, 'completed')
    assert.deepEqual(await worker.claim(), [])
  },

  'C8 the same id with another fingerprint is refused': async (store) => {
    const job = chore({ fingerprint: 'one' })
    await store.insert([job])
    const before = await seen(store, job.id)
    const other = { ...job, job: 'another', input: bytes('other'), fingerprint: 'two' }
    assert.deepEqual(await store.insert([other]), [{ id: job.id, refused: 'ID_TAKEN' }])
    assert.deepEqual(await seen(store, job.id), before)
  },

  'C8 an insert whose reply was lost may be repeated': async (store) => {
    const job = chore()
    assert.deepEqual(await store.insert([job]), [{ id: job.id, joined: false }])
    assert.deepEqual(await store.insert([job]), [{ id: job.id, joined: false }])
    assert.equal(only(await store.tally()).accepted, 1)
  },

  'C8 an id that was made for a job is not joined by a caller’s own': async (store) => {
    const job = chore()
    await store.insert([job])
    const named = { ...job, fingerprint: 'one' }
    assert.deepEqual(await store.insert([named]), [{ id: job.id, refused: 'ID_TAKEN' }])
  },

  'C8 fifty inserts of one id at once make one job': async (store) => {
    const job = chore({ fingerprint: 'same' })
    const answers = await Promise.all(Array.from({ length: 50 }, () => store.insert([job])))
    const fresh = answers.flat().filter((answer) => 'joined' in answer && !answer.joined)
    assert.equal(fresh.length, 1)
    assert.equal(only(await store.tally()).accepted, 1)
  },

  'C9 expiry counts from when a job is due, its deadline from the insert': async (store, clock) => {
    const spans = { expiresInMs: 2 * HOUR, deadlineMs: 5 * HOUR }
    const now = clock.now()
    const [soon, later, at] = [
      chore(spans),
      chore({ ...spans, delayMs: HOUR }),
      chore({ ...spans, runAt: now + HOUR }),
    ]
    await store.insert([soon, later, at])
    const times = (await store.find([soon.id, later.id, at.id])).map((job) => [
      job?.expiresAt,
      job?.deadlineAt,
    ])
    assert.deepEqual(times, [
      [now + 2 * HOUR, now + 5 * HOUR],
      [now + 3 * HOUR, now + 5 * HOUR],
      [now + 3 * HOUR, now + 5 * HOUR],
    ])
    const worker = await Hand.register(store)
    const claimed = await worker.claimOne()
    assert.deepEqual([claimed.expiresAt, claimed.deadlineAt], [now + 2 * HOUR, now + 5 * HOUR])
  },
}
