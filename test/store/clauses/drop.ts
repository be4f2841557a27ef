import assert from 'node:assert/strict'
import { Hand, only, running, seen } from '../../support/hand.ts'
import { bytes, chore, completed, DAY, failed, HOUR, textOf } from '../../support/jobs.ts'
import { veteran } from '../../support/copies.ts'
import type { Clauses } from '../conform.ts'

const input = bytes('"what was given"')
const result = bytes('"what was made"')

export const drop: Clauses = {
  'C10 an input and a result go before their record, each in its time and no sooner': async (
    store,
    clock,
  ) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ input, tags: ['red'] }))
    await worker.settle(job, completed({ result, drops: { input: HOUR, result: 2 * HOUR } }))
    const look = async () => {
      await store.purge(10)
      const { input: had, result: left, rev } = await seen(store, job.id)
      return { had: textOf(had), left: textOf(left), rev }
    }
    clock.advance(HOUR - 1)
    const before = await look()
    assert.deepEqual([before.had, before.left], [textOf(input), textOf(result)])
    clock.advance(1)
    const half = await look()
    assert.deepEqual([half.had, half.left], ['', textOf(result)])
    assert(half.rev > before.rev)
    clock.advance(HOUR)
    const none = await look()
    assert.deepEqual([none.had, none.left], ['', undefined])
    assert(none.rev > half.rev)
    assert.deepEqual(await look(), none)
    clock.advance(DAY)
    assert.equal((await store.purge(10)).erased, 1)
  },

  'C10 what is large goes whole': async (store, clock) => {
    const worker = await Hand.register(store)
    const large = new Uint8Array(50_000).fill(65)
    const job = await running(store, worker, chore({ input: large }))
    await worker.settle(job, completed({ result: large, drops: { input: 0, result: 0 } }))
    clock.advance(1)
    await store.purge(10)
    const { input: had, result: left } = await seen(store, job.id)
    assert.deepEqual([had.length, left], [0, undefined])
  },

  'C10 a purge drops at most as many as it may': async (store, clock) => {
    const worker = await Hand.register(store)
    await store.insert([chore({ input }), chore({ input }), chore({ input })])
    const held = await worker.claim(3)
    await worker.settleAll(held, completed({ drops: { input: HOUR } }))
    clock.advance(HOUR)
    const left = async () => {
      await store.purge(2)
      const jobs = await store.find(held.map(({ id }) => id))
      return jobs.filter((job) => job && job.input.length > 0).length
    }
    assert.deepEqual([await left(), await left()], [1, 0])
  },

  'C12 what a hook looks back on is not dropped before it ran': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore({ input }))
    const hook = chore({ queue: 'hooks', subject: job.id })
    await worker.settle(job, completed({ result, hook, drops: { input: 0, result: 0 } }))
    clock.advance(1)
    await store.purge(10)
    const held = await worker.claimOne('hooks')
    assert.deepEqual(
      [textOf(held.subject?.input), textOf(held.subject?.result)],
      [textOf(input), textOf(result)],
    )
    await worker.settle(held, completed())
    clock.advance(HOUR)
    await store.purge(10)
    assert.equal((await seen(store, job.id)).input.length, 0)
  },

  'C10 a job that is erased or purged first leaves nothing to drop': async (store, clock) => {
    const worker = await Hand.register(store)
    const drops = { input: HOUR, result: HOUR }
    const [gone, short] = [
      await running(store, worker, chore({ input })),
      await running(store, worker, chore({ input })),
    ]
    await worker.settle(gone, completed({ result, drops }))
    await worker.settle(short, completed({ result, drops, keepMs: 0 }))
    assert.deepEqual(await store.erase([gone.id]), ['erased'])
    clock.advance(1)
    assert.equal((await store.purge(10)).erased, 1)
    // Another under the same id keeps what it has.
    await store.insert([chore({ id: gone.id, input })])
    await worker.settle(await worker.claimOne(), completed({ result }))
    clock.advance(2 * HOUR)
    await store.purge(10)
    assert.equal(textOf((await seen(store, gone.id)).input), textOf(input))
  },

  'C15 a child that is called again has its input again': async (store, clock) => {
    const worker = await Hand.register(store)
    const parent = await running(store, worker, chore())
    const child = chore({ queue: 'children', input, parent: { id: parent.id, name: 'part' } })
    const step = { name: 'call:part', value: bytes('1') }
    await worker.note(parent, { step, child })
    await worker.settle(await worker.claimOne('children'), completed({ drops: { input: 0 } }))
    clock.advance(1)
    await store.purge(10)
    assert.equal((await seen(store, child.id)).input.length, 0)
    await worker.note(parent, { step: { ...step, name: 'call:again' }, child })
    const again = only(await worker.claim(1, 'children'))
    assert.equal(textOf(again.input), textOf(input))
    await worker.settle(again, failed())
  },

  'C10 what was to be dropped where a job came from is dropped here': async (store, clock) => {
    const now = clock.now()
    const drops = { input: now + HOUR, result: now + 2 * HOUR }
    const job = veteran(now, { keptUntil: now + DAY, artifacts: [], drops })
    await store.adopt([job])
    clock.advance(HOUR)
    await store.purge(10)
    const half = await seen(store, job.id)
    assert.deepEqual([half.input.length, textOf(half.result)], [0, 'out'])
    clock.advance(HOUR)
    await store.purge(10)
    assert.equal((await seen(store, job.id)).result, undefined)
  },
}
