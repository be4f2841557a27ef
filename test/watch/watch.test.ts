import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../../src/client/client.ts'
import { newId } from '../../src/base/id.ts'
import { defineJob } from '../../src/job/define.ts'
import { type Code, ErrandError, hasCode } from '../../src/job/errors.ts'
import { encodeFailure } from '../../src/job/failure.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { counting, settled } from '../support/counting.ts'
import { Hand, idsOf, only } from '../support/hand.ts'
import { again, bytes, cancelled, cancels, completed, DAY, failed } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'

const sum = defineJob({ name: 'sum', input: anything(), output: anything<number>() })
const code = (expected: Code) => (error: unknown) => hasCode(error, expected)

type Here = { store: Store; client: Client; watch: Watch; hand: Hand } & AsyncDisposable

async function opened(): Promise<Here> {
  const store = await SqliteStore.open(':memory:')
  const watch = new Watch(store)
  const close = () => {
    watch[Symbol.dispose]()
    return store[Symbol.asyncDispose]()
  }
  const [client, hand] = [new Client(store, [sum]), await Hand.register(store)]
  return { store, client, watch, hand, [Symbol.asyncDispose]: close }
}

test('a result is waited for, however long it takes', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [1, 2])
  const result = here.watch.result(sum, id)
  const waiting = await here.hand.claimOne()
  await here.hand.settle(waiting, again(0))
  await here.hand.settle(await here.hand.claimOne(), completed({ result: bytes('3') }))
  assert.equal(await result, 3)
  assert.equal(await here.watch.result(sum, id), 3)
})

test('waiting a month is a wait like any other', async () => {
  await using here = await opened()
  const warnings: Error[] = []
  const hear = (warning: Error) => void warnings.push(warning)
  process.on('warning', hear)
  const { id } = await here.client.enqueue(sum, [])
  const result = here.watch.result(sum, id, { wait: '30d' })
  await settled()
  await here.client.cancel(id)
  await assert.rejects(result, code('JOB_CANCELLED'))
  process.off('warning', hear)
  assert.equal(warnings.length, 0, String(warnings[0]))
})

test('a failed job’s result throws what it failed of', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  const error = encodeFailure('RangeError', 'too far')
  await here.hand.settle(await here.hand.claimOne(), failed({ reason: 'timeout', error }))
  await assert.rejects(here.watch.result(sum, id), (thrown) => {
    assert(thrown instanceof ErrandError && thrown.code === 'JOB_FAILED')
    assert.match(thrown.message, /timeout/)
    assert.deepEqual(thrown.cause, { name: 'RangeError', message: 'too far' })
    return true
  })
})

test('a cancelled job has no result, nor has one that is unknown', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  await here.hand.settle(await here.hand.claimOne(), cancelled())
  await assert.rejects(here.watch.result(sum, id), code('JOB_CANCELLED'))
  await assert.rejects(here.watch.result(sum, newId()), code('JOB_NOT_FOUND'))
})

test('who waits no longer is told how the job stands', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  await assert.rejects(here.watch.result(sum, id, { wait: 0 }), code('RESULT_NOT_READY'))
  assert.equal((await here.watch.ended(id, 0)).state, 'ready')
  const given = new AbortController()
  const asked = here.watch.ended(id, DAY, undefined, given.signal)
  await settled()
  given.abort()
  assert.equal((await asked).state, 'ready')
})

test('a result of false is a result', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  await here.hand.settle(await here.hand.claimOne(), completed({ result: bytes('false') }))
  assert.equal(await here.watch.result(sum, id), false)
})

test('a job is found by the unique value it holds', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [], { unique: 'u', tenant: 'acme' })
  assert.equal((await here.watch.find(sum, 'u', 'acme'))?.id, id)
  assert.equal((await here.watch.find('sum', 'u', 'acme'))?.id, id)
  assert.equal(await here.watch.find(sum, 'u'), undefined)
  assert.equal(await here.watch.find(sum, 'v', 'acme'), undefined)
})

test('another tenant’s job does not exist', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [], { tenant: 'acme' })
  const { watch } = here
  assert.equal((await watch.job(id, 'acme')).id, id)
  assert.equal((await watch.job(id)).tenant, 'acme')
  for (const look of [watch.job(id, 'other'), watch.ended(id, 0, 'other'), watch.job('x')])
    await assert.rejects(look, code('JOB_NOT_FOUND'))
  for (const look of [watch.attempts(id, 'other'), watch.logs(id, { tenant: 'other' })])
    await assert.rejects(look, code('JOB_NOT_FOUND'))
  await assert.rejects(watch.artifact(id, 'a', 'other'), code('ARTIFACT_NOT_FOUND'))
})

test('attempts and log lines are shown in their order', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  const first = await here.hand.claimOne()
  const lines = ['one', 'two', 'three'].map((text) => ({ at: 0, level: 'info', text }) as const)
  await here.hand.note(first, { log: lines })
  await here.hand.settle(first, again(0))
  await here.hand.settle(await here.hand.claimOne(), failed({ error: encodeFailure('E', 'last') }))
  const attempts = await here.watch.attempts(id)
  assert.deepEqual(
    attempts.map(({ outcome }) => outcome),
    ['error', 'error'],
  )
  assert.equal(attempts[1]?.error?.message, 'last')
  const after = await here.watch.logs(id, { after: 1, limit: 1 })
  assert.deepEqual(
    after.map(({ n, text }) => [n, text]),
    [[2, 'two']],
  )
})

test('a file is there until it expires', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  const file = { type: 'text/csv', bytes: 1, sha256: 'ab' }
  const kept = { ...file, file: 'kept.csv', keepMs: DAY }
  const over = { ...file, file: 'over.csv', keepMs: 0 }
  const held = await here.hand.claimOne()
  await here.hand.settle(held, completed({ artifacts: [kept, over] }))
  const { fence, sha256 } = await here.watch.artifact(id, 'kept.csv')
  assert.deepEqual([fence, sha256], [held.fence, 'ab'])
  for (const name of ['over.csv', 'none.csv'])
    await assert.rejects(here.watch.artifact(id, name), code('ARTIFACT_NOT_FOUND'))
})

test('lists are pages of views', async () => {
  await using here = await opened()
  await here.client.enqueueMany(sum, [1, 2, 3])
  const first = await here.watch.list({ job: 'sum' }, 2)
  assert.equal(first.jobs.length, 2)
  const second = await here.watch.list({ job: 'sum' }, 2, first.next)
  assert.equal(new Set(idsOf([...first.jobs, ...second.jobs])).size, 3)
  assert.equal(only(await here.watch.queues()).accepted, 3)
  assert.deepEqual(await here.watch.verify(), [])
})

test('a worker’s own words that cannot be read do not hide it', async () => {
  await using here = await opened()
  const worker = only(await here.watch.workers())
  assert.deepEqual([worker.id, worker.alive, worker.running], [here.hand.id, true, 0])
})

test('however many wait for a job, a change of it costs one read', async () => {
  await using here = await opened()
  const { store, calls } = counting(here.store)
  const watch = new Watch(store)
  const { id } = await here.client.enqueue(sum, [])
  const first = await watch.job(id)
  const waiting = Array.from({ length: 50 }, () => watch.ended(first.id, DAY))
  await settled()
  const before = calls.get('find') ?? 0
  await here.client.cancel(id)
  for (const view of await Promise.all(waiting)) assert.equal(view.state, 'cancelled')
  assert.equal((calls.get('find') ?? 0) - before, 1)
})

test('while nobody waits, nothing is read', async () => {
  await using here = await opened()
  const { store, calls } = counting(here.store)
  const watch = new Watch(store)
  const { id } = await here.client.enqueue(sum, [])
  assert.equal((await watch.ended(id, 0)).state, 'ready')
  const before = calls.get('find')
  await here.client.cancel(id)
  await settled()
  assert.equal(calls.get('find'), before)
})

test('a job that is erased while it is waited for is not found', async () => {
  await using here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  await here.store.cancel(cancels([id], 0))
  await here.store.retry([id])
  const waiting = assert.rejects(here.watch.ended(id, DAY), code('JOB_NOT_FOUND'))
  await settled()
  await Promise.all([here.store.cancel(cancels([id], 0)), here.store.purge(10)])
  await waiting
})

test('closing tells everybody who waits', async () => {
  const here = await opened()
  const { id } = await here.client.enqueue(sum, [])
  const given = new AbortController()
  let over = false
  const done = () => (over = true)
  const waiting = here.watch.ended(id, DAY, undefined, given.signal).then(done, done)
  await settled()
  await here[Symbol.asyncDispose]()
  await settled()
  given.abort()
  const wasOver = over
  await waiting
  assert(wasOver, 'they waited on')
})
