import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backOffMs, reach } from '../../src/cli/reach.ts'
import { ErrandError, hasCode } from '../../src/job/errors.ts'

const busy = () => Promise.reject(new ErrandError('STORE_BUSY', { waitedMs: 1 }))
const tooNew = () => Promise.reject(new ErrandError('SCHEMA_TOO_NEW', { found: 9, known: 1 }))

test('the back-off doubles from half a second to half a minute', () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 7, 99].map(backOffMs),
    [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000],
  )
})

test('a store that is not up is waited for, aloud, until told to stop', async () => {
  const stop = new AbortController()
  const told: [string, number][] = []
  const tell = (error: ErrandError, delayMs: number) => {
    told.push([error.code, delayMs])
    stop.abort()
  }
  assert.equal(await reach(busy, { signal: stop.signal, tell }), undefined)
  assert.deepEqual(told, [['STORE_BUSY', 500]])
})

test('what waiting cannot mend is thrown at once', async () => {
  const { signal } = new AbortController()
  await assert.rejects(reach(tooNew, { signal, tell: assert.fail }), (error) =>
    hasCode(error, 'SCHEMA_TOO_NEW'),
  )
})
