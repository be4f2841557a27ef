import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../src/job/define.ts'
import { hasCode } from '../src/job/errors.ts'
import { open } from '../src/open.ts'
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
