import assert from 'node:assert/strict'
import { newId } from '../../../src/base/id.ts'
import { DUE_MAX, ENTRIES_MAX, type Put, type Store } from '../../../src/store/contract.ts'
import { after, change, CHANGED, DONE, put, removal, told } from '../../support/entries.ts'
import { Hand, idsOf, only, seen } from '../../support/hand.ts'
import { bytes, chore, completed, SECOND } from '../../support/jobs.ts'
import { rings } from '../../support/rings.ts'
import type { Clauses } from '../conform.ts'

const isDone = (one: Put) => 'jobs' in one

export const entries: Clauses = {
  'C18 an entry is changed by who saw it as it stands, and by nobody else': async (store) => {
    const first = change()
    const second = after(first, { value: bytes('more') })
    assert.deepEqual(await put(store, second), CHANGED)
    assert.deepEqual(await put(store, first), DONE)
    assert.deepEqual(await put(store, change()), CHANGED)
    assert.deepEqual(await put(store, second), DONE)
    assert.deepEqual(await put(store, after(first)), CHANGED)
    assert.deepEqual(await told(store), ['a more'])
    assert.equal(only((await store.entries('note')).entries).stamp, second.stamp)
  },

  'C18 of fifty who saw the same, one changes it, and its jobs alone are there': async (store) => {
    const first = change()
    await put(store, first)
    const rivals = Array.from({ length: 50 }, () => after(first, { jobs: [chore()] }))
    const answers = await Promise.all(rivals.map((one) => put(store, one)))
    assert.equal(answers.filter(isDone).length, 1)
    assert.deepEqual(
      idsOf((await store.list({}, 100)).jobs),
      rivals.flatMap(({ jobs = [] }, i) => (isDone(answers[i] ?? CHANGED) ? idsOf(jobs) : [])),
    )
  },

  'C18 a change and its jobs are there together, or neither is': async (store) => {
    const job = chore({ delayMs: 60_000, tags: ['t'] })
    const answer = await put(store, change({ jobs: [job] }))
    assert.deepEqual(answer, { jobs: [{ id: job.id, joined: false }] })
    assert.equal((await seen(store, job.id)).state, 'scheduled')
    const late = chore()
    assert.deepEqual(await put(store, change({ jobs: [late] })), CHANGED)
    assert.deepEqual(await store.find([late.id]), [undefined])
  },

  'C18 a repeat of a change is told so, and brings nothing again': async (store) => {
    const worker = await Hand.register(store)
    const first = change({ jobs: [chore()] })
    const answer = await put(store, first)
    await worker.settle(await worker.claimOne(), completed({ keepMs: 0 }))
    await store.purge(10)
    assert.deepEqual(await put(store, first), answer)
    assert.deepEqual((await store.list({}, 10)).jobs, [])
    const gone = removal(first)
    assert.deepEqual([await put(store, gone), await put(store, gone)], [DONE, DONE])
    assert.deepEqual(await put(store, after(first)), CHANGED)
    assert.deepEqual(await told(store), [])
  },

  'C18 each of several changes is answered for itself': async (store) => {
    const [a, b, c] = [change(), change({ name: 'b' }), change({ name: 'c' })]
    await put(store, a)
    const job = chore()
    const answers = await store.put([after(b), after(a, { value: bytes('2'), jobs: [job] }), b, c])
    assert.deepEqual(answers, [CHANGED, { jobs: [{ id: job.id, joined: false }] }, DONE, DONE])
    assert.deepEqual(await told(store), ['a 2', 'b value', 'c value'])
  },

  'C18 jobs that entries bring are met by others as any jobs are': async (store) => {
    const unique = { value: 'v', until: 'end', onConflict: 'join' } as const
    const holder = chore({ unique })
    await store.insert([holder])
    const joined = await put(store, change({ jobs: [chore({ unique })] }))
    assert.deepEqual(joined, { jobs: [{ id: holder.id, joined: true }] })
    const refuse = { ...unique, onConflict: 'refuse' } as const
    const refused = await put(store, change({ name: 'b', jobs: [chore({ unique: refuse })] }))
    assert.deepEqual(refused, { jobs: [{ id: holder.id, refused: 'UNIQUE_TAKEN' }] })
    const again = await put(store, change({ name: 'c', jobs: [holder] }))
    assert.deepEqual(again, { jobs: [{ id: holder.id, joined: false }] })
    assert.deepEqual(await told(store), ['a value', 'b value', 'c value'])
  },

  'C18 entries are found by their kind, by name, and when they are wanted': async (
    store,
    clock,
  ) => {
    const now = clock.now()
    const at = (name: string, seconds: number) => change({ name, at: now + seconds * SECOND })
    await store.put([at('late', 3), at('soon', 1), change({ name: 'never' }), at('past', -1)])
    await put(store, change({ kind: 'other', at: now - 5 * SECOND }))

    const all = ['late value', 'never value', 'past value', 'soon value']
    assert.deepEqual(await told(store), all)
    assert.deepEqual(await told(store, { name: 'soon' }), ['soon value'])
    assert.deepEqual(await told(store, { name: 'nobody' }), [])
    assert.deepEqual(await told(store, 'due'), ['past value'])
    clock.advance(SECOND)
    assert.deepEqual(await told(store, 'due'), ['past value', 'soon value'])
    const { now: then, nextAt } = await store.entries('note', 'due')
    assert.deepEqual([then, nextAt], [now + SECOND, now - SECOND])
  },

  'C18 the next moment is told for as long as anything is wanted': async (store, clock) => {
    const nextAt = async () => (await store.entries('note', 'due')).nextAt
    assert.equal(await nextAt(), undefined)
    const first = change({ at: clock.now() + 5000 })
    await put(store, first)
    assert.equal(await nextAt(), clock.now() + 5000)
    const second = after(first, { at: clock.now() + 7000 })
    await put(store, second)
    assert.equal(await nextAt(), clock.now() + 7000)
    const third = after(second)
    await put(store, third)
    assert.equal(await nextAt(), undefined)
    await put(store, after(third, { at: clock.now() + 9000 }))
    assert.equal(await nextAt(), clock.now() + 9000)
  },

  'C18 those wanted longest come first, a bounded number at once': async (store, clock) => {
    const count = DUE_MAX + 5
    await store.put(
      Array.from({ length: count }, (_, i) =>
        change({ name: `${i}`, at: clock.now() - count + i, value: bytes('') }),
      ),
    )
    const names = (await store.entries('note', 'due')).entries.map(({ name }) => name)
    assert.deepEqual(
      names,
      Array.from({ length: DUE_MAX }, (_, i) => `${i}`),
    )
  },

  'C18 of one kind so many are taken': async (store) => {
    const many = Array.from({ length: ENTRIES_MAX }, (_, i) => change({ name: `${i}` }))
    assert((await store.put(many)).every(isDone))
    assert.deepEqual(await put(store, change()), { refused: 'full' })
    assert.deepEqual(await put(store, change({ kind: 'other' })), DONE)
    assert.deepEqual(await put(store, after(many[0] ?? change())), DONE)
    await put(store, removal(many[1] ?? change()))
    assert.deepEqual(await put(store, change()), DONE)
  },

  'C18 those who listen hear of what came, went, or is wanted sooner': async (store, clock) => {
    const first = change({ at: clock.now() + 5000 })
    await hears(store, first)
    const second = after(first, { at: clock.now() + 3000 })
    await hears(store, second)
    const third = after(second)
    await put(store, third)
    const fourth = after(third, { at: clock.now() + 9000 })
    await hears(store, fourth)
    await hears(store, removal(fourth))
  },

  'C11 names and values of entries come back exactly': async (store) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const names = ['a "quoted", \\ name', 'Ω 😀/x', ' ', 'x'.repeat(200)].toSorted()
    await store.put(names.map((name) => change({ name, value: all })))
    const kept = (await store.entries('note')).entries
    assert.deepEqual(
      kept.map(({ name, value }) => [name, Buffer.from(value).equals(all)]),
      names.map((name) => [name, true]),
    )
    assert.equal((await store.entries('note', { name: names[0] ?? '' })).entries.length, 1)
    assert.equal((await store.entries('note', { name: newId() })).entries.length, 0)
  },
}

const hears = (store: Store, one: Parameters<typeof put>[1]) =>
  rings(store, 'entry', () => put(store, one))
