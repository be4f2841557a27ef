import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFor, readStores } from './stores.ts'

test('a suite stands on all stores, or on those that are named', () => {
  assert.deepEqual(readStores(''), ['sqlite', 'redis', 'postgres'])
  assert.deepEqual(readStores('redis, sqlite'), ['redis', 'sqlite'])
})

test('a store that is not known is refused with the nearest', () => {
  assert.throws(() => readStores('sqlite,postgre'), /did you mean postgres\?/)
})

test('a file named after a store is left out with it, and no other', () => {
  const files = ['redis.test.ts', 'redis-faults.test.ts', 'sqlite.test.ts', 'outages.test.ts']
  assert.deepEqual(files.map((file) => `test/store/${file}`).filter(isFor(['sqlite'])), [
    'test/store/sqlite.test.ts',
    'test/store/outages.test.ts',
  ])
})
