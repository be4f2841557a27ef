import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Client } from '../../src/client/client.ts'
import { itemId } from '../../src/job/batch.ts'
import { defineJob } from '../../src/job/define.ts'
import { completed, failed } from '../support/jobs.ts'
import { chore } from '../support/jobs.ts'
import { batchOf, itemsOf, open } from '../support/batches.ts'
import { openDoor, read } from './door.ts'

test('an erased job is gone with its files, and its request makes no other', async () => {
  await using door = await openDoor()
  const key = { 'idempotency-key': 'once' }
  const id = await door.submit(key)
  await door.leave('a.csv', 'a,b')
  assert.equal((await door.files.untouched(-1, 10)).length, 1)

  assert.equal((await door.remove(`/v1/jobs/${id}`)).status, 204)
  assert.equal((await door.get(`/v1/jobs/${id}`)).status, 404)
  assert.deepEqual(await door.files.untouched(-1, 10), [])
  assert.equal((await door.remove(`/v1/jobs/${id}`)).status, 404)

  const body = { job: 'person.greet', input: { name: 'Ada' } }
  const again = await door.post('/v1/jobs', body, key)
  assert.deepEqual([again.status, (await read(again)).code], [410, 'JOB_ERASED'])
  const other = await door.post('/v1/jobs', { ...body, input: { name: 'Bob' } }, key)
  assert.deepEqual([other.status, (await read(other)).code], [422, 'IDEMPOTENCY_KEY_REUSED'])
  assert.deepEqual(await door.store.verify(), [])
})

test('a job that has not begun ends before it is erased; one that runs is refused', async () => {
  await using door = await openDoor()
  const idle = await door.submit()
  assert.equal((await door.remove(`/v1/jobs/${idle}`)).status, 204)
  const held = await door.submit()
  const job = await door.hand.claimOne()
  const refused = await door.remove(`/v1/jobs/${held}`)
  assert.deepEqual([refused.status, (await read(refused)).code], [409, 'WRONG_STATE'])
  assert.equal(await door.hand.settle(job, completed()), 'done')
})

test('a job whose hook may still run is refused, and another tenant’s is not there', async () => {
  let tenant = 'acme'
  await using door = await openDoor({ authenticate: () => ({ tenant }) })
  const id = await door.submit()
  const job = await door.hand.claimOne()
  await door.hand.settle(job, failed({ hook: chore({ subject: id }) }))
  const refused = await door.remove(`/v1/jobs/${id}`)
  assert.deepEqual([refused.status, (await read(refused)).code], [409, 'STILL_HOOKED'])
  tenant = 'other'
  assert.equal((await door.remove(`/v1/jobs/${id}`)).status, 404)
})

test('an erasure that must wait for a hook, or for a batch to close, is refused before anything changes', async () => {
  await using door = await openDoor()
  const told = defineJob({ name: 'end.told', input: z.unknown() })
  const hooked = defineJob({ name: 'end.hooked', input: z.unknown(), onFailure: told })
  const { id } = await new Client(door.store, [hooked]).enqueue(hooked, {})
  const made = batchOf()
  await open(door.store, made)
  await door.store.fillBatch(made.id, itemsOf(made.id, 1))
  const item = itemId({ batch: made.id, index: 0 })
  for (const [one, code] of [
    [id, 'STILL_HOOKED'],
    [item, 'BATCH_OPEN'],
  ] as const) {
    assert.equal((await read(await door.remove(`/v1/jobs/${one}`))).code, code)
    assert.equal((await door.store.find([one]))[0]?.state, 'ready')
  }
})

test('an item is refused while its batch takes more: sent again it would be begun again', async () => {
  await using door = await openDoor()
  const made = batchOf()
  await open(door.store, made)
  await door.store.fillBatch(made.id, itemsOf(made.id, 1))
  await door.hand.settle(await door.hand.claimOne(), completed())
  const path = `/v1/jobs/${itemId({ batch: made.id, index: 0 })}`
  const refused = await door.remove(path)
  assert.deepEqual([refused.status, (await read(refused)).code], [409, 'BATCH_OPEN'])
  await door.store.changeBatch(made.id, { to: 'closed' })
  assert.equal((await door.remove(path)).status, 204)
})
