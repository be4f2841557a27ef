import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { defineJob } from '../src/job/define.ts'
import { ErrandError, hasCode } from '../src/job/errors.ts'
import { open } from '../src/open.ts'
import { openStore } from '../src/stores.ts'
import { anything } from './support/schema.ts'

const double = defineJob({ name: 'double', input: anything<number>(), run: (n) => n * 2 })

test('a worker in this process does what is enqueued here', async () => {
  await using errand = await open('sqlite::memory:')
  await errand.work({ jobs: [double] })
  const { id } = await errand.enqueue(double, 21)
  assert.equal(await errand.result(double, id), 42)
})

test('it tells that the store has given it up, and has ended', async () => {
  await using errand = await open('sqlite::memory:')
  const told: unknown[] = []
  const worker = await errand.work({ jobs: [double] }, { onError: (error) => told.push(error) })
  await errand.store.retire(worker.id)
  await worker.closed
  assert(told.some((error) => hasCode(error, 'WORKER_GONE')))
})

const NOWHERE = [
  'redis://me:s3cret@127.0.0.1:1',
  'redis://me:s3cret%zz@127.0.0.1:1',
  'redis://me:s3cret@127.0.0.1:99999',
  'redis-sentinel://me:s3cret@a b/primary',
  'redis-cluster://me:s3cret@127.0.0.1:1',
  'postgres://me:s3cret@127.0.0.1:1/db',
  'postgres://me:s3cret@127.0.0.1:99999/db',
  'mysql://me:s3cret@127.0.0.1',
]
for (const url of NOWHERE)
  test(`${url.replace('s3cret', '…')} is refused, and its password repeated nowhere`, async () => {
    await assert.rejects(openStore(url), (error) => {
      assert(error instanceof ErrandError)
      return !inspect(error, { depth: 9, showHidden: true }).includes('s3cret')
    })
  })
