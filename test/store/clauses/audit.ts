import assert from 'node:assert/strict'
import type { Store } from '../../../src/store/contract.ts'
import { bytes, DAY, HOUR, textOf } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const said = async (store: Store, limit = 100, before?: number) =>
  (await store.audits(limit, before)).map(({ entry }) => textOf(entry))

export const audit: Clauses = {
  'C19 entries come back as they were said, the newest first': async (store, clock) => {
    await store.audit([bytes('one'), bytes('two')])
    clock.advance(1000)
    const odd = Uint8Array.from({ length: 256 }, (_, i) => i)
    await store.audit([odd])
    await store.audit([])
    const [newest, ...rest] = await store.audits(10)
    assert.deepEqual(Buffer.from(newest?.entry ?? []), Buffer.from(odd))
    assert.deepEqual(
      rest.map(({ entry }) => textOf(entry)),
      ['two', 'one'],
    )
    assert.deepEqual([newest?.at, rest[0]?.at], [clock.now(), clock.now() - 1000])
  },

  'C19 a page goes on before the last entry of the one before': async (store) => {
    await store.audit(['1', '2', '3', '4', '5'].map(bytes))
    const first = await store.audits(2)
    await store.audit([bytes('6')])
    assert.deepEqual(
      first.map(({ entry }) => textOf(entry)),
      ['5', '4'],
    )
    assert.deepEqual(await said(store, 10, first.at(-1)?.n), ['3', '2', '1'])
    assert.deepEqual(await said(store, 1), ['6'])
  },

  'C19 numbers rise, also when the clock goes back': async (store, clock) => {
    await store.audit([bytes('first')])
    clock.set(clock.now() - HOUR)
    await store.audit([bytes('second')])
    assert.deepEqual(await said(store), ['second', 'first'])
  },

  'C19 entries go when they are too old, a bounded number, and no sooner': async (store, clock) => {
    await store.audit(['1', '2', '3'].map(bytes))
    clock.advance(DAY)
    await store.audit([bytes('4')])
    await store.purge(10)
    await store.purge(10, DAY + 1)
    assert.deepEqual(await said(store), ['4', '3', '2', '1'])
    await store.purge(2, DAY)
    assert.deepEqual(await said(store), ['4', '3'])
    await store.purge(2, DAY)
    await store.purge(2, DAY)
    assert.deepEqual(await said(store), ['4'])
    clock.advance(DAY)
    await store.purge(10, DAY)
    await store.audit([bytes('5')])
    const [last] = await store.audits(10)
    assert.deepEqual([textOf(last?.entry), (last?.n ?? 0) > 4], ['5', true])
  },

  'C19 fifty at once are all kept': async (store) => {
    const entries = Array.from({ length: 50 }, (_, i) => bytes(`${i}`))
    await Promise.all(entries.map((entry) => store.audit([entry])))
    assert.equal(new Set(await said(store)).size, 50)
  },
}
