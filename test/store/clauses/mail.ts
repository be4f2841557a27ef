import assert from 'node:assert/strict'
import type { JobId, Mail } from '../../../src/job/job.ts'
import { type Letter, MAIL_MAX, type Posted, type Store } from '../../../src/store/contract.ts'
import { copyAll } from '../../support/copies.ts'
import { accepted, Hand, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
import {
  bytes,
  cancels,
  chore,
  completed,
  DAY,
  failed,
  HOUR,
  parked,
  released,
  SECOND,
  suspended,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const letter = (to: JobId, name: string, over: Partial<Letter> = {}): Letter => ({
  to,
  name,
  key: 'k',
  value: bytes(name),
  ...over,
})
const post = async (store: Store, ...given: Parameters<typeof letter>): Promise<Posted> =>
  only(await store.post([letter(...given)]))
const spelled = (mail: readonly Mail[] = []) =>
  mail.map(({ name, key, value }) => `${name} ${key} ${textOf(value)}`)
const stateOf = async (store: Store, id: JobId) => (await seen(store, id)).state

export const mail: Clauses = {
  'C14 a job that was set aside waits until its letter comes, and is handed it': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.equal(await worker.settle(job, suspended({ one: ['go', 'stop'] })), 'done')
    const waiting = await seen(store, job.id)
    assert.deepEqual([waiting.state, waiting.waitingFor], ['waiting', 'signal:go'])
    assert.deepEqual(await worker.claim(), [])
    clock.advance(SECOND)
    assert.equal(await post(store, job.id, 'go'), 'posted')
    const ready = await seen(store, job.id)
    assert.deepEqual([ready.state, ready.waitingFor], ['ready', undefined])
    assert.deepEqual([ready.runAt, ready.rev], [clock.now(), waiting.rev + 1])
    const next = await worker.claimOne()
    assert.deepEqual(spelled(next.mail), ['go k go'])
    assert.deepEqual(await store.mail(job.id), next.mail)
    assert.equal(next.mail?.[0]?.at, clock.now())
    assert.deepEqual([next.failures, next.crashes, next.losses], [0, 0, 0])
    assert.deepEqual(await store.attempts(job.id), [])
  },

  'C14 a letter that came before makes it ready at once': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.equal(await post(store, job.id, 'go'), 'posted')
    await worker.settle(job, suspended({ one: ['stop', 'go'] }))
    assert.deepEqual(spelled((await worker.claimOne()).mail), ['go k go'])
  },

  'C14 a letter to a job that never ran comes with it, and so does one to a scheduled job': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const [fresh, later] = [chore(), chore({ delayMs: 60_000 })]
    await store.insert([fresh, later])
    for (const { id } of [fresh, later]) assert.equal(await post(store, id, 'early'), 'posted')
    assert.deepEqual(spelled((await worker.claimOne()).mail), ['early k early'])
    await pass(clock, 60_000, worker)
    assert.deepEqual(spelled((await worker.claimOne()).mail), ['early k early'])
  },

  'C14 a letter is kept once under its key, in the order of arrival': async (store) => {
    const job = chore()
    await store.insert([job])
    const said = [
      letter(job.id, 'b', { key: '1', value: bytes('first') }),
      letter(job.id, 'a', { key: '1' }),
      letter(job.id, 'b', { key: '1', value: bytes('second') }),
      letter(job.id, 'b', { key: '2' }),
    ]
    assert.deepEqual(await store.post(said), ['posted', 'posted', 'already', 'posted'])
    assert.deepEqual(spelled(await store.mail(job.id)), ['b 1 first', 'a 1 a', 'b 2 b'])
  },

  'C14 a repeat is told so whatever became of the job': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['go'] }))
    assert.equal(await post(store, job.id, 'go', { ifWaiting: true }), 'posted')
    assert.equal(await post(store, job.id, 'go', { ifWaiting: true }), 'already')
    await worker.settle(await worker.claimOne(), completed())
    assert.equal(await post(store, job.id, 'go', { ifWaiting: true }), 'already')
  },

  'C14 other letters wake nobody': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['go'] }))
    assert.equal(await post(store, job.id, 'gone'), 'posted')
    assert.equal(await stateOf(store, job.id), 'waiting')
  },

  'C14 who waits for all of several waits for the last, or for an urgent one': async (store) => {
    const worker = await Hand.register(store)
    const jobs = [await running(store, worker, chore()), await running(store, worker, chore())]
    const [patient, other] = jobs
    assert(patient && other)
    await post(store, patient.id, 'c')
    await worker.settleAll(jobs, suspended({ all: ['a', 'b', 'c'] }))
    await post(store, patient.id, 'b')
    assert.equal(await stateOf(store, patient.id), 'waiting')
    await post(store, patient.id, 'a')
    assert.equal(await stateOf(store, patient.id), 'ready')
    await post(store, other.id, 'b', { urgent: true })
    assert.equal(await stateOf(store, other.id), 'ready')
    assert.equal(only(await store.mail(other.id)).urgent, true)
  },

  'C14 who need not wait for all of several is ready at once': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await store.post(['a', 'b'].map((name) => letter(job.id, name)))
    await worker.settle(job, suspended({ all: ['a', 'b'] }))
    const again = await worker.claimOne()
    await worker.settle(again, suspended({ all: ['a', 'c'] }))
    assert.equal(await stateOf(store, job.id), 'waiting')
  },

  'C14 a moment wakes it as well, and the reply says when': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ expiresInMs: 10 }))
    const wakeAt = clock.now() + 60_000
    const settlement = { id: job.id, fence: job.fence, outcome: suspended({ one: ['go'], wakeAt }) }
    const told = accepted(await worker.exchange([settlement]))
    assert.equal(told.nextDueMs, 60_000)
    assert.equal((await seen(store, job.id)).wakesAt, wakeAt)
    await pass(clock, 59_999, worker)
    assert.deepEqual(await worker.claim(), [])
    clock.advance(1)
    const next = await worker.claimOne()
    assert.deepEqual([next.id, next.runAt, next.expiresAt], [job.id, wakeAt, undefined])
    assert.equal((await seen(store, job.id)).wakesAt, undefined)
  },

  'C14 a moment that has passed makes it ready at once': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ wakeAt: clock.now() }))
    assert.equal((await worker.claimOne()).id, job.id)
  },

  'C14 a woken job is not woken again by what it waited for before': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['go'], wakeAt: clock.now() + SECOND }))
    await pass(clock, SECOND, worker)
    const next = await worker.claimOne()
    assert.equal(await post(store, job.id, 'go', { ifWaiting: true }), 'idle')
    await worker.settle(next, suspended({ wakeAt: clock.now() + HOUR }))
    assert.equal(await post(store, job.id, 'go'), 'posted')
    assert.equal(await stateOf(store, job.id), 'waiting')
  },

  'C14 a letter only for who waits for it is refused otherwise, and leaves nothing': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.equal(await post(store, job.id, 'go', { ifWaiting: true }), 'idle')
    await worker.settle(job, suspended({ one: ['stop'] }))
    assert.equal(await post(store, job.id, 'go', { ifWaiting: true }), 'idle')
    assert.deepEqual(await store.mail(job.id), [])
    assert.equal(await post(store, job.id, 'stop', { ifWaiting: true }), 'posted')
  },

  'C14 nobody writes to jobs that have ended, or that never were': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, failed())
    assert.equal(await post(store, job.id, 'go'), 'failed')
    assert.equal(await post(store, chore().id, 'go'), 'gone')
  },

  'C14 a mailbox takes so many letters': async (store) => {
    const job = chore()
    await store.insert([job])
    const many = Array.from({ length: MAIL_MAX }, (_, i) => letter(job.id, 'a', { key: `${i}` }))
    assert.deepEqual(new Set(await store.post(many)), new Set(['posted']))
    assert.equal(await post(store, job.id, 'one more'), 'full')
    assert.equal((await store.mail(job.id)).length, MAIL_MAX)
  },

  'C14 a cancelled job waits for nothing, and one that was asked to is not set aside': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['go'], wakeAt: clock.now() + SECOND }))
    assert.deepEqual(await store.cancel(cancels([job.id])), ['cancelled'])
    assert.equal(await post(store, job.id, 'go'), 'cancelled')
    await pass(clock, HOUR, worker)
    assert.deepEqual(await worker.claim(), [])
    const other = await running(store, worker, chore())
    await store.cancel(cancels([other.id]))
    await worker.settle(other, suspended({ one: ['go'] }))
    const next = await worker.claimOne()
    assert.deepEqual([next.id, next.cancelAsked], [other.id, true])
  },

  'C14 unparking wakes nobody who waits for something else': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const stranger = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['go'] }))
    await worker.settle(stranger, parked())
    assert.equal(await store.unpark(['chore']), 1)
    assert.equal(await stateOf(store, job.id), 'waiting')
  },

  'C14 a stale holder sets nothing aside': async (store, clock) => {
    const [first, second] = [await Hand.register(store), await Hand.register(store)]
    const stale = await running(store, first, chore())
    await pass(clock, 2 * LEASE_MS, second)
    const current = only(await second.sweep())
    assert.deepEqual(await store.verify(), [])
    await second.settle(current, suspended({ one: ['go'] }))
    assert.equal(await post(store, stale.id, 'go'), 'posted')
    assert.equal(await stateOf(store, stale.id), 'ready')
  },

  'C14 a repeated exchange brings the same mail': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await post(store, job.id, 'go')
    await worker.settle(job, released())
    const [handed] = await worker.claim()
    const repeated = accepted(await worker.repeat(worker.n, [], 1))
    assert.deepEqual(only(repeated.jobs).mail, handed?.mail)
    assert.equal(handed?.mail?.length, 1)
  },

  'C14 mail outlives a failure and its retry, but for the urgent, and for another input': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await post(store, job.id, 'go')
    await post(store, job.id, 'broke', { urgent: true })
    await worker.settle(job, failed())
    await store.retry([job.id])
    const second = await worker.claimOne()
    assert.deepEqual(spelled(second.mail), ['go k go'])
    await worker.settle(second, failed())
    await store.retry([job.id], bytes('"other"'))
    assert.equal((await worker.claimOne()).mail, undefined)
    assert.deepEqual(await store.mail(job.id), [])
  },

  'C14 mail goes with its job': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await post(store, job.id, 'go')
    await worker.settle(job, suspended({ one: ['stop'] }))
    await post(store, job.id, 'stop')
    await worker.settle(await worker.claimOne(), completed({ keepMs: DAY }))
    assert.equal((await store.mail(job.id)).length, 2)
    await pass(clock, 2 * DAY)
    assert.equal((await store.purge(10)).erased, 1)
    assert.deepEqual(await store.mail(job.id), [])
  },

  'C14 what waits is listed as waiting, and copied with what it waits for': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await post(store, job.id, 'early')
    const wakeAt = clock.now() + HOUR
    await worker.settle(job, suspended({ one: ['x'], all: ['y', 'early', 'z'], wakeAt }))
    const { jobs } = await store.list({ state: 'waiting' }, 10)
    assert.deepEqual(
      jobs.map(({ id }) => id),
      [job.id],
    )
    assert.deepEqual((await store.list({ state: 'scheduled' }, 10)).jobs, [])
    const copy = only((await copyAll(store)).jobs)
    assert.deepEqual([copy.awaits?.one, copy.awaits?.all.toSorted()], [['x'], ['y', 'z']])
    assert.deepEqual([spelled(copy.mail), copy.wakesAt], [['early k early'], wakeAt])
  },

  'C11 names, keys and values of letters come back exactly': async (store) => {
    const job = chore()
    await store.insert([job])
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const names = ['a "quoted", \\ name', 'Ω 😀', ' ', 'x'.repeat(200)]
    await store.post(names.map((name) => letter(job.id, name, { key: name, value: all })))
    assert.deepEqual(
      (await store.mail(job.id)).map(({ name, key, value }) => [
        name,
        key,
        Buffer.from(value).equals(all),
      ]),
      names.map((name) => [name, name, true]),
    )
  },
}
