import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { hasCode } from '../../src/job/errors.ts'
import { PAUSE } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { change, removal } from '../support/entries.ts'
import { bytes, chore } from '../support/jobs.ts'

test('why a job is not running follows the workers there are, and the line before it', async () => {
  await using store = await SqliteStore.open(':memory:')
  using watch = new Watch(store)
  const [first, second] = [chore(), chore({ tenant: 'acme' })]
  await store.insert([first, second])
  const why = async () => (await watch.why(second.id)).code
  const register = async (queues: string[]) => {
    const info = bytes(JSON.stringify({ queues, concurrency: 1 }))
    const id = newId()
    await store.register({ id, leaseMs: 15_000, info })
    return id
  }
  assert.equal(await why(), 'NO_WORKER')
  await register(['mail'])
  assert.equal(await why(), 'NO_WORKER_FOR_QUEUE')
  const worker = await register(['default'])
  assert.equal(await why(), 'BEHIND')
  assert.equal((await watch.why(second.id)).ahead, 1)
  const claim = { queues: ['default'], limit: 1 }
  await store.exchange(worker, 1, [], claim)
  assert.equal(await why(), 'WORKERS_FULL')
  await register([])
  assert.equal(await why(), 'NEXT')
  const pause = change({ kind: PAUSE, name: 'default' })
  await store.put([pause])
  assert.equal(await why(), 'QUEUE_PAUSED')
  await store.put([removal(pause)])
  await store.exchange(worker, 2, [], claim)
  assert.equal(await why(), 'RUNNING')
  assert.equal((await watch.why(second.id)).ahead, undefined)
  await assert.rejects(watch.why(second.id, 'other'), (error) => hasCode(error, 'JOB_NOT_FOUND'))
})
