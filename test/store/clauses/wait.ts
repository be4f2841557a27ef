import assert from 'node:assert/strict'
import type { JobId } from '../../../src/job/job.ts'
import type { Store } from '../../../src/store/contract.ts'
import { copyAll } from '../../support/copies.ts'
import { accepted, Hand, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
import { cancels, chore, HOUR, parked, SECOND, suspended } from '../../support/jobs.ts'
import { letter, post, spelled } from '../../support/letters.ts'
import type { Clauses } from '../conform.ts'

const stateOf = async (store: Store, id: JobId) => (await seen(store, id)).state

export const wait: Clauses = {
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

  'C14 one of all that is enough by itself is lacking when the others are there': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await post(store, job.id, 'b')
    await worker.settle(job, suspended({ one: ['a'], all: ['a', 'b'] }))
    assert.equal(await stateOf(store, job.id), 'waiting')
    await post(store, job.id, 'a')
    assert.equal(await stateOf(store, job.id), 'ready')
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

  'C14 a settlement that comes twice leaves what the first said to wait for': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['go'] }))
    assert.equal(await worker.settle(job, suspended({ one: ['other'] })), 'already')
    assert.equal(await post(store, job.id, 'other'), 'posted')
    assert.equal(await stateOf(store, job.id), 'waiting')
    await post(store, job.id, 'go')
    assert.equal(await stateOf(store, job.id), 'ready')
  },

  'C14 a job that is parked waits for no letter': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, suspended({ one: ['a', 'b'] }))
    await post(store, job.id, 'a')
    await worker.settle(await worker.claimOne(), parked())
    assert.deepEqual(await store.verify(), [])
    assert.equal(await post(store, job.id, 'b', { ifWaiting: true }), 'idle')
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
}
