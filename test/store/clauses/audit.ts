import assert from 'node:assert/strict'
import type { Store } from '../../../src/store/contract.ts'
import { bytes, DAY, HOUR, textOf } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const said = async (store: Store, limit = 100, before?: number) =>
  (await store.audits(limit, before)).map(({ entry }) => textOf(entry))

/** Adds entries, each as the next. */
async function add(store: Store, ...entries: readonly Uint8Array[]): Promise<void> {
  for (const entry of entries) {
    const [last] = await store.audits(1)
    assert.equal(await store.audit((last?.n ?? 0) + 1, entry), true)
  }
}

export const audit: Clauses = {
  'C19 entries come back as they were said, the newest first': async (store, clock) => {
    await add(store, bytes('one'), bytes('two'))
    clock.advance(1000)
    const odd = Uint8Array.from({ length: 256 }, (_, i) => i)
    await add(store, odd)
    const [newest, ...rest] = await store.audits(10)
    assert.deepEqual(Buffer.from(newest?.entry ?? []), Buffer.from(odd))
    assert.deepEqual(
      rest.map(({ entry }) => textOf(entry)),
      ['two', 'one'],
    )
    assert.deepEqual([newest?.at, rest[0]?.at], [clock.now(), clock.now() - 1000])
  },

  'C19 a page goes on before the last entry of the one before': async (store) => {
    await add(store, ...['1', '2', '3', '4', '5'].map(bytes))
    const first = await store.audits(2)
    await add(store, bytes('6'))
    assert.deepEqual(
      first.map(({ entry }) => textOf(entry)),
      ['5', '4'],
    )
    assert.deepEqual(await said(store, 10, first.at(-1)?.n), ['3', '2', '1'])
    assert.deepEqual(await said(store, 1), ['6'])
  },

  'C19 numbers rise, also when the clock goes back': async (store, clock) => {
    await add(store, bytes('first'))
    clock.set(clock.now() - HOUR)
    await add(store, bytes('second'))
    assert.deepEqual(await said(store), ['second', 'first'])
  },

  'C19 entries go when they are too old, a bounded number, and no sooner': async (store, clock) => {
    await add(store, ...['1', '2', '3'].map(bytes))
    clock.advance(DAY)
    await add(store, bytes('4'))
    await store.purge(10)
    await store.purge(10, DAY + 1)
    assert.deepEqual(await said(store), ['4', '3', '2', '1'])
    await store.purge(2, DAY)
    assert.deepEqual(await said(store), ['4', '3'])
    await store.purge(2, DAY)
    await store.purge(2, DAY)
    assert.deepEqual(await said(store), ['4'])
  },

  'C19 the newest entry stays, however old: the next has its number after it': async (
    store,
    clock,
  ) => {
    await add(store, ...['1', '2'].map(bytes))
    clock.advance(DAY)
    await store.purge(10, DAY)
    assert.deepEqual(await said(store), ['2'])
    await add(store, bytes('3'))
    await store.purge(10, DAY)
    assert.deepEqual(
      (await store.audits(10)).map(({ n, entry }) => [n, textOf(entry)]),
      [[3, '3']],
    )
  },

  'C19 an entry is added under the next number, and under no other': async (store) => {
    await add(store, bytes('one'))
    for (const n of [0, 1, 3]) assert.equal(await store.audit(n, bytes('astray')), false)
    assert.equal(await store.audit(2, bytes('two')), true)
    assert.deepEqual(await said(store), ['two', 'one'])
  },

  'C19 of fifty that would be the next at once one is': async (store) => {
    const entries = Array.from({ length: 50 }, (_, i) => bytes(`${i}`))
    const added = await Promise.all(entries.map((entry) => store.audit(1, entry)))
    assert.equal(added.filter(Boolean).length, 1)
    assert.equal((await said(store)).length, 1)
  },
}
