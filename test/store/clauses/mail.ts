import assert from 'node:assert/strict'
import { MAIL_MAX } from '../../../src/store/contract.ts'
import { accepted, Hand, only, pass, running } from '../../support/hand.ts'
import { bytes, chore, completed, DAY, failed, released, suspended } from '../../support/jobs.ts'
import { letter, post, spelled } from '../../support/letters.ts'
import type { Clauses } from '../conform.ts'

export const mail: Clauses = {
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

  'C14 what comes after a retry comes last': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    for (const key of ['1', '2']) await post(store, job.id, 'broke', { key, urgent: true })
    await post(store, job.id, 'go', { key: '1' })
    await worker.settle(job, failed())
    await store.retry([job.id])
    await post(store, job.id, 'go', { key: '2' })
    assert.deepEqual(spelled(await store.mail(job.id)), ['go 1 go', 'go 2 go'])
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
