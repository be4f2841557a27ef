import assert from 'node:assert/strict'
import type { Adoptee } from '../../../src/job/moving.ts'
import { adoptee, copyAll, veteran } from '../../support/copies.ts'
import { Hand, idsOf, only, running, seen } from '../../support/hand.ts'
import { plain } from '../../support/histories/plain.ts'
import { bytes, chore, chores, completed, DAY, failed, HOUR, SECOND } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

/** What a copy shows of one that was adopted: all but until when it is kept. */
const shown = ({ keptUntil: _, ...job }: Adoptee) => plain(job)

export const adopt: Clauses = {
  'C14 a job that was adopted before its first run is handed its mail': async (store, clock) => {
    const mail = [{ name: 'go', key: 'k', at: clock.now() - 5, value: bytes('1') }]
    await store.adopt([adoptee(clock.now(), { mail })])
    const worker = await Hand.register(store)
    const job = await worker.claimOne()
    assert.equal(job.mail?.length, 1)
    await store.post([{ to: job.id, name: 'go', key: 'l', value: bytes('2') }])
    const keys = (await store.mail(job.id)).map(({ key }) => key)
    assert.deepEqual(keys, ['k', 'l'])
  },

  'C11 an adopted job is the same job, with all it left': async (store, clock) => {
    const now = clock.now()
    const parked = { state: 'waiting', waitingFor: 'handler', fence: 9, cancelAsked: true } as const
    const jobs = [
      veteran(now),
      veteran(now, { state: 'failed', reason: 'timeout', artifacts: [], withErrors: false }),
      adoptee(now, { state: 'scheduled', runAt: now + HOUR, tags: ['red'] }),
      adoptee(now, parked),
      adoptee(now - DAY, { runAt: now - HOUR, fence: now - HOUR, rev: 12, failures: 3 }),
    ]
    assert.deepEqual(
      await store.adopt(jobs),
      jobs.map(() => 'adopted'),
    )
    assert.deepEqual((await copyAll(store)).jobs.map(plain), jobs.map(shown))
    assert.equal((await store.list({ tag: 'red' }, 10)).jobs.length, 3)
  },

  'C10 adopted jobs are accepted, each in its queue and state': async (store, clock) => {
    const now = clock.now()
    const mail = { queue: 'mail' }
    await store.insert(chores(2))
    await store.adopt([veteran(now), adoptee(now, mail), adoptee(now, mail)])
    const counts = (await store.tally()).map((one) => [one.queue, one.accepted, one.completed])
    assert.deepEqual(counts, [
      ['default', 3, 1],
      ['mail', 2, 0],
    ])
  },

  'C10 a call without jobs changes nothing, or brings those that joined alone': async (
    store,
    clock,
  ) => {
    assert.deepEqual(await store.adopt([]), [])
    const alias = { id: chore().id, job: chore().id, fingerprint: 'a', until: clock.now() + DAY }
    assert.deepEqual(await store.adopt([], [alias]), [])
    assert.deepEqual(await copyAll(store), { jobs: [], aliases: [alias], batches: [] })
  },

  'C8 a job that is here already stays as it is, however often it comes': async (store, clock) => {
    const jobs = [veteran(clock.now()), adoptee(clock.now()), adoptee(clock.now())]
    await store.adopt(jobs.slice(0, 2))
    const again = await store.adopt([...jobs, ...jobs.slice(1)])
    assert.deepEqual(again, ['already', 'already', 'adopted', 'already', 'already'])
    const worker = await Hand.register(store)
    await worker.settle(await worker.claimOne(), completed())
    const before = await copyAll(store)
    assert.deepEqual(await store.adopt(jobs), ['already', 'already', 'already'])
    assert.deepEqual(await copyAll(store), before)
  },

  'C8 twenty adoptions of the same jobs at once make each of them once': async (store, clock) => {
    // A kind of jobs that is new would let one of them through before the others.
    await store.adopt([adoptee(clock.now())])
    // So would a line that is only being laid.
    await Promise.all(Array.from({ length: 20 }, () => store.ping()))
    // Whoever lets two by does so when they meet, which is not every time.
    for (let round = 1; round <= 5; round++) {
      const unique = { value: `v${round}`, until: 'kept' } as const
      const jobs = [veteran(clock.now(), { unique }), adoptee(clock.now()), adoptee(clock.now())]
      const answers = await Promise.all(Array.from({ length: 20 }, () => store.adopt(jobs)))
      assert.equal(answers.flat().filter((answer) => answer === 'adopted').length, 3)
      assert.equal(only(await store.tally()).accepted, 1 + 3 * round)
    }
  },

  'C8 an id that is another job’s is refused, and so is one that moved on where it came from':
    async (store, clock) => {
      const [taken, here] = [chore(), adoptee(clock.now())]
      await store.insert([taken])
      await store.adopt([here])
      const others: Adoptee[] = [
        adoptee(clock.now() - SECOND, { id: taken.id }),
        { ...here, queue: 'mail' },
        { ...here, tenant: 'acme' },
        { ...here, rev: 2 },
        { ...here, fence: 1, state: 'waiting', waitingFor: 'handler' },
        adoptee(clock.now()),
      ]
      const answers = await store.adopt(others)
      const refusals = ['ID_TAKEN', 'ID_TAKEN', 'ID_TAKEN', 'behind', 'behind', 'adopted']
      assert.deepEqual(answers, refusals)
      assert.equal((await seen(store, here.id)).state, 'ready')
    },

  'C8 a unique value goes on being held, and one that another holds is refused': async (
    store,
    clock,
  ) => {
    const now = clock.now()
    const unique = { value: 'report', until: 'end' } as const
    const insert = (value: string) =>
      store.insert([chore({ unique: { value, until: 'end', onConflict: 'join' } })])
    const live = adoptee(now, { unique })
    const kept = veteran(now, { tenant: '', unique: { value: 'kept', until: 'kept' } })
    const freed = veteran(now, { tenant: '', unique: { value: 'freed', until: 'end' } })
    const answers = await store.adopt([live, kept, freed, adoptee(now, { unique })])
    assert.deepEqual(answers, ['adopted', 'adopted', 'adopted', 'UNIQUE_TAKEN'])
    assert.deepEqual(await insert('report'), [{ id: live.id, joined: true }])
    assert.deepEqual(await insert('kept'), [{ id: kept.id, joined: true }])
    assert('joined' in only(await insert('freed')) && (await store.holder('', 'chore', 'freed')))
    assert.notEqual(await store.holder('', 'chore', 'freed'), freed.id)
    const failedOne = veteran(now, { state: 'failed', tenant: '', artifacts: [], unique })
    assert.deepEqual(await store.adopt([failedOne]), ['adopted'])
    assert.deepEqual(await store.retry([failedOne.id]), ['taken'])
  },

  'C8 who joined a job before it moved finds it where it is now': async (store, clock) => {
    const now = clock.now()
    const unique = { value: 'report', until: 'end' } as const
    const done = veteran(now, { tenant: '', unique, keptUntil: now + 2 * DAY })
    const request = chore({ unique: { ...unique, onConflict: 'join' }, fingerprint: 'a' })
    const alias = { id: request.id, job: done.id, fingerprint: 'a', until: now + DAY }
    for (const _ of [1, 2]) await store.adopt([done], [alias])
    assert.deepEqual(await store.insert([request]), [{ id: done.id, joined: true }])
    const other = { ...request, fingerprint: 'b' }
    assert.deepEqual(await store.insert([other]), [{ id: request.id, refused: 'ID_TAKEN' }])
    clock.advance(DAY + SECOND)
    await store.purge(10)
    assert.deepEqual((await copyAll(store)).aliases, [])
  },

  'C2 the next fence of an adopted job is higher than any before': async (store, clock) => {
    const job = adoptee(clock.now(), { fence: clock.now() + HOUR })
    await store.adopt([job])
    const worker = await Hand.register(store)
    assert.equal((await worker.claimOne()).fence, job.fence + 1)
  },

  'C7 adopted jobs leave in the order they had, between those that are here': async (
    store,
    clock,
  ) => {
    const now = clock.now()
    const [early, urgent, late] = [chore(), chore({ priority: 3 }), chore()]
    await store.insert([early, urgent])
    const at = [5, -30, -20, -20, -10, -40].map((seconds, i) =>
      adoptee(now - DAY, { runAt: now + seconds * SECOND, ...(i === 4 && { priority: 3 }) }),
    )
    await store.adopt(at.slice(0, 3))
    await store.adopt(at.slice(3))
    clock.advance(10 * SECOND)
    await store.insert([late])
    const [future, first, second, third, hurried, oldest] = at.map(({ id }) => id)
    const worker = await Hand.register(store)
    const left = [...(await worker.claim(3)), ...(await worker.claim(10))]
    const order = [hurried, urgent.id, oldest, first, second, third, early.id, future, late.id]
    assert.deepEqual(idsOf(left), order)
  },

  'C9 an adopted job becomes ready at its moment, and a parked one when its handler is there':
    async (store, clock) => {
      const now = clock.now()
      const later = adoptee(now, { state: 'scheduled', runAt: now + SECOND })
      const due = adoptee(now - DAY, { state: 'scheduled', runAt: now - SECOND })
      const parked = adoptee(now - DAY, { state: 'waiting', waitingFor: 'handler' })
      await store.adopt([later, due, parked])
      const worker = await Hand.register(store)
      assert.deepEqual(idsOf(await worker.claim(5)), [due.id])
      clock.advance(SECOND)
      assert.equal(await store.unpark(['chore']), 1)
      assert.deepEqual(idsOf(await worker.claim(5)), [parked.id, later.id])
    },

  'C10 adopted records and files go when their time is over': async (store, clock) => {
    const now = clock.now()
    const done = veteran(now, { keptUntil: now + DAY })
    const broken = veteran(now, { state: 'failed', artifacts: [], keptUntil: now + HOUR })
    await store.adopt([done, broken, adoptee(now)])
    clock.advance(HOUR)
    assert.equal(only(await store.expired(10)).id, done.id)
    assert.deepEqual(await store.purge(10), { erased: 1, withFiles: [] })
    clock.advance(DAY)
    assert.deepEqual(await store.purge(10), { erased: 1, withFiles: [done.id] })
    assert.equal((await copyAll(store)).jobs.length, 1)
  },

  'C12 an adopted hook is given its subject, which stays for as long as it lives': async (
    store,
    clock,
  ) => {
    const now = clock.now()
    const subject = veteran(now, { keptUntil: now + SECOND })
    const hook = adoptee(now, { queue: 'hooks', subject: subject.id })
    await store.adopt([subject, hook])
    clock.advance(DAY)
    assert.equal((await store.purge(10)).erased, 0)
    const worker = await Hand.register(store)
    const claimed = await worker.claimOne('hooks')
    assert.deepEqual(
      [claimed.subject?.input, claimed.subject?.result].map(plain),
      [subject.input, subject.result].map(plain),
    )
    await worker.settle(claimed, completed())
    clock.advance(HOUR)
    assert.equal((await store.purge(10)).erased, 1)
  },

  'C10 a job lives, fails and is retried after it was adopted as it would have before': async (
    store,
    clock,
  ) => {
    const job = adoptee(clock.now(), { fence: 4, tags: ['red'], log: [], cancelAsked: true })
    await store.adopt([job])
    const worker = await Hand.register(store)
    const claimed = await worker.claimOne()
    assert.equal(claimed.cancelAsked, true)
    await worker.settle(claimed, failed())
    assert.deepEqual(await store.retry([job.id]), ['retried'])
    const line = { at: clock.now(), level: 'info', text: 'again' } as const
    const again = await worker.claimOne()
    await worker.note(again, { log: [line] })
    await worker.settle(again, completed())
    assert.equal((await store.attempts(job.id)).length, 1)
    assert.equal((await store.logs(job.id, 0, 10)).length, 1)
    await running(store, worker, chore())
  },
}
