import assert from 'node:assert/strict'
import type { Claimed, JobId, NewJob } from '../../../src/job/job.ts'
import type { Cancelling, Word } from '../../../src/job/outcome.ts'
import type { Store } from '../../../src/store/contract.ts'
import { copyAll } from '../../support/copies.ts'
import { Hand, LEASE_MS, only, pass, running, seen } from '../../support/hand.ts'
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
  suspended,
  textOf,
} from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const box = (name: string) => `call:${name}`
const childOf = ({ id }: Pick<Claimed, 'id'>, name: string, over: Partial<NewJob> = {}): NewJob =>
  chore({ queue: 'children', parent: { id, name }, ...over })
const wordTo = ({ id: to }: { id: JobId }, name: string, over: Partial<Word> = {}): Word => ({
  to,
  name: box(name),
  key: keyOf(nobody),
  value: bytes(name),
  ...over,
})
const nobody = chore()
const keyOf = ({ id }: { id: JobId }, life = 1) => `${id} ${life}`
const call = (hand: Hand, job: Claimed, child: NewJob) =>
  hand.note(job, { step: { name: box(child.parent?.name ?? ''), value: bytes('1') }, child })
const stateOf = async (store: Store, id: JobId) => (await seen(store, id)).state

/** A worker, a job that it runs, and one that this has called. */
async function family(store: Store, over: Partial<NewJob> = {}) {
  const worker = await Hand.register(store)
  const parent = await running(store, worker, chore())
  const child = childOf(parent, 'a', over)
  assert.equal(await call(worker, parent, child), 'done')
  return { worker, parent, child }
}

export const children: Clauses = {
  'C15 a job that is called is stored with its step, once': async (store) => {
    const { worker, parent, child } = await family(store)
    assert.equal(await call(worker, parent, child), 'done')
    const found = await seen(store, child.id)
    assert.deepEqual([found.state, found.parent], ['ready', { id: parent.id, name: 'a' }])
    assert.equal((await store.steps(parent.id)).length, 1)
    const claimed = await worker.claimOne('children')
    assert.deepEqual(claimed.parent, { id: parent.id, name: 'a' })
    assert.deepEqual(await worker.claim(1, 'children'), [])
  },

  'C15 a stale holder calls nobody': async (store, clock) => {
    const [first, second] = [await Hand.register(store), await Hand.register(store)]
    const stale = await running(store, first, chore())
    await pass(clock, 2 * LEASE_MS, second)
    only(await second.sweep())
    const child = childOf(stale, 'a')
    assert.equal(await call(first, stale, child), 'stale')
    assert.deepEqual(await store.find([child.id]), [undefined])
  },

  'C15 its end wakes the job that called it, and brings what it came to': async (store) => {
    const { worker, parent, child } = await family(store)
    await worker.settle(parent, suspended({ all: [box('a')] }))
    const held = await worker.claimOne('children')
    const value = Uint8Array.from({ length: 256 }, (_, i) => i)
    await worker.settle(held, completed({ word: wordTo(parent, 'a', { value }) }))
    assert.equal(await stateOf(store, child.id), 'completed')
    const next = await worker.claimOne()
    assert.equal(next.id, parent.id)
    const letter = only(next.mail ?? [])
    assert.deepEqual([letter.name, letter.urgent], [box('a'), undefined])
    assert(Buffer.from(letter.value).equals(value))
  },

  'C15 an end that comes before its caller waits is there when it does': async (store) => {
    const { worker, parent } = await family(store)
    await worker.settle(
      await worker.claimOne('children'),
      failed({ word: wordTo(parent, 'a', { urgent: true }) }),
    )
    await worker.settle(parent, suspended({ all: [box('a'), box('b')] }))
    assert.equal(only((await worker.claimOne()).mail ?? []).urgent, true)
  },

  'C15 caller and called may be settled in one exchange': async (store) => {
    const { worker, parent } = await family(store)
    const held = await worker.claimOne('children')
    const settlements = [
      { id: held.id, fence: held.fence, outcome: completed({ word: wordTo(parent, 'a') }) },
      { id: parent.id, fence: parent.fence, outcome: suspended({ all: [box('a')] }) },
    ]
    for (const order of [settlements, settlements.toReversed()]) {
      await worker.exchange(order)
      assert.equal(await stateOf(store, parent.id), 'ready')
    }
  },

  'C15 a word is taken in whatever became of its caller, and beyond the room for letters': async (
    store,
  ) => {
    const { worker, parent } = await family(store)
    const many = Array.from({ length: 100 }, (_, i) => ({
      to: parent.id,
      name: 'x',
      key: `${i}`,
      value: bytes(''),
    }))
    await store.post(many)
    await worker.settle(parent, failed())
    const held = await worker.claimOne('children')
    await worker.settle(held, completed({ word: wordTo(parent, 'a') }))
    assert.equal((await store.mail(parent.id)).at(-1)?.name, box('a'))
    await store.retry([parent.id])
    assert.equal((await worker.claimOne()).mail?.length, 101)
  },

  'C15 a word to nobody is no error': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    assert.equal(await worker.settle(job, completed({ word: wordTo(chore(), 'a') })), 'done')
  },

  'C15 a late result brings no word': async (store, clock) => {
    const { worker: first, parent } = await family(store)
    const stale = await first.claimOne('children')
    const second = await Hand.register(store)
    await pass(clock, 2 * LEASE_MS, second)
    await second.sweep()
    const late = completed({ word: wordTo(parent, 'a') })
    const settled = await first.exchange([{ id: stale.id, fence: stale.fence, outcome: late }])
    assert('refused' in settled || settled.answers[0] === 'stale')
    assert.deepEqual(await store.mail(parent.id), [])
  },

  'C15 whose caller is cancelled is asked to end, wherever it stands': async (store, clock) => {
    const worker = await Hand.register(store)
    const parent = await running(store, worker, chore())
    const [ready, later, held, waiting, ended] = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      childOf(parent, name, name === 'b' ? { delayMs: HOUR } : { queue: name }),
    )
    assert(ready && later && held && waiting && ended)
    for (const child of [ready, later, held, waiting, ended]) await call(worker, parent, child)
    const runs = await worker.claimOne('c')
    const wakeAt = clock.now() + HOUR
    await worker.settle(await worker.claimOne('d'), suspended({ one: ['x'], wakeAt }))
    await worker.settle(await worker.claimOne('e'), completed())
    await worker.settle(parent, suspended({ all: [box('a')] }))
    assert.deepEqual(await store.cancel(cancels([parent.id])), ['cancelled'])

    const asked = await store.find([ready, later, held, waiting, ended].map(({ id }) => id))
    assert.deepEqual(
      asked.map((job) => [job?.state, job?.cancelAsked]),
      [
        ['ready', true],
        ['ready', true],
        ['running', true],
        ['ready', true],
        ['completed', false],
      ],
    )
    const renewed = await worker.renew()
    assert(renewed.alive)
    assert.deepEqual(renewed.cancelAsked, [runs.id])
    const claimed = await worker.claim(10, 'a', 'children', 'd')
    assert.deepEqual(
      claimed.map(({ cancelAsked }) => cancelAsked),
      [true, true, true],
    )
  },

  'C15 so are those of one that was running': async (store) => {
    const { worker, parent, child } = await family(store)
    const grandchild = childOf(child, 'b')
    const held = await worker.claimOne('children')
    await call(worker, held, grandchild)
    await worker.settle(parent, cancelled())
    assert.equal((await seen(store, held.id)).cancelAsked, true)
    assert.equal((await seen(store, grandchild.id)).cancelAsked, false)
    await worker.settle(held, cancelled())
    assert.equal((await seen(store, grandchild.id)).cancelAsked, true)
  },

  'C15 those of one that failed go on': async (store) => {
    const { worker, parent, child } = await family(store)
    await worker.settle(parent, failed())
    assert.equal((await seen(store, child.id)).cancelAsked, false)
  },

  'C15 a cancel tells the caller too': async (store) => {
    const { worker, parent, child } = await family(store)
    await worker.settle(parent, suspended({ all: [box('a')] }))
    const outcome: Cancelling = { ...cancelled(), word: wordTo(parent, 'a', { urgent: true }) }
    assert.deepEqual(await store.cancel([{ id: child.id, outcome }]), ['cancelled'])
    assert.equal(textOf(only((await worker.claimOne()).mail ?? []).value), 'a')
  },

  'C15 one that went wrong is called again by a caller that knows nothing of it': async (store) => {
    const { worker, parent, child } = await family(store)
    const word = wordTo(parent, 'a', { key: keyOf(child), urgent: true })
    await worker.settle(await worker.claimOne('children'), failed({ word }))
    // Its caller has only not looked yet.
    await call(worker, parent, child)
    assert.equal(await stateOf(store, child.id), 'failed')
    await worker.settle(parent, failed())
    await store.retry([parent.id])
    const next = await worker.claimOne()
    assert.equal(next.mail, undefined)
    await call(worker, next, child)
    assert.equal(await stateOf(store, child.id), 'ready')
    const again = await worker.claimOne('children')
    await worker.settle(again, completed({ word: wordTo(parent, 'a', { key: keyOf(child, 2) }) }))
    await call(worker, next, child)
    assert.equal(await stateOf(store, child.id), 'completed')
  },

  'C15 so is one that completed, when its caller was given another input': async (store) => {
    const { worker, parent, child } = await family(store)
    const word = wordTo(parent, 'a')
    await worker.settle(await worker.claimOne('children'), completed({ word }))
    await worker.settle(parent, failed())
    await store.retry([parent.id], bytes('"other"'))
    await call(worker, await worker.claimOne(), child)
    assert.equal((await worker.claimOne('children')).id, child.id)
  },

  'C15 what another said under the same name is forgotten when one is called': async (store) => {
    const { worker, parent, child: first } = await family(store)
    const held = await worker.claimOne('children')
    const second = childOf(parent, 'a', { queue: 'seconds' })
    await call(worker, parent, second)
    await worker.settle(await worker.claimOne('seconds'), completed())
    await worker.settle(
      held,
      failed({ word: wordTo(parent, 'a', { key: keyOf(first), urgent: true }) }),
    )
    await call(worker, parent, second)
    assert.equal(await stateOf(store, second.id), 'ready')
    await worker.settle(parent, suspended({ all: [box('a')] }))
    assert.equal(await stateOf(store, parent.id), 'waiting')
  },

  'C15 children outlive their caller, and are copied with whose they are': async (store, clock) => {
    const { worker, parent, child } = await family(store, { queue: 'odd' })
    await worker.settle(parent, completed({ keepMs: 1 }))
    clock.advance(DAY)
    assert.equal((await store.purge(10)).erased, 1)
    const copy = only((await copyAll(store)).jobs)
    assert.deepEqual(copy.parent, { id: parent.id, name: 'a' })
    const held = await worker.claimOne('odd')
    assert.equal(await worker.settle(held, completed({ word: wordTo(parent, 'a') })), 'done')
    assert.equal(held.id, child.id)
  },

  'C12 the step that completes a job inserts all that it brings': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const more = ['a', 'b', 'c'].map((queue) => chore({ queue, input: bytes(queue) }))
    const hook = chore({ queue: 'hooks', subject: job.id })
    await worker.settle(job, completed({ hook, more }))
    for (const { id, queue } of more) {
      const next = await worker.claimOne(queue)
      assert.deepEqual([next.id, textOf(next.input)], [id, queue])
    }
    assert.equal((await worker.claimOne('hooks')).id, hook.id)
  },

  'C15 one that nobody here can run is set aside like any other': async (store) => {
    const { worker, parent, child } = await family(store)
    await worker.settle(await worker.claimOne('children'), parked())
    await worker.settle(parent, suspended({ all: [box('a')] }))
    await store.unpark(['chore'])
    assert.equal((await worker.claimOne('children')).id, child.id)
  },
}
