import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDoor, read } from './door.ts'

test('all that failed live again over HTTP, after a dry run has counted them', async () => {
  await using door = await openDoor()
  for (let i = 0; i < 3; i++) {
    await door.submit()
    await door.fail()
  }
  const filter = { state: 'failed', job: 'person.greet' }
  const counted = await door.post('/v1/jobs/retry', { filter, dryRun: true })
  assert.deepEqual(await read(counted), { matched: 3, done: 0, refused: {} })
  const first = await read(await door.post('/v1/jobs/retry', { filter, limit: 2 }))
  assert.deepEqual([first.matched, first.done], [2, 2])
  const rest = await door.post('/v1/jobs/retry', { filter, cursor: first.nextCursor })
  assert.deepEqual(await read(rest), { matched: 1, done: 1, refused: {} })
  const ended = await read(await door.post('/v1/jobs/cancel', { filter: { queue: 'default' } }))
  assert.deepEqual(ended, { matched: 3, done: 3, refused: {} })
  const gone = await door.post('/v1/jobs/discard', { filter: { state: 'cancelled' } })
  assert.deepEqual(await read(gone), { matched: 3, done: 3, refused: {} })
  assert.deepEqual(await door.store.verify(), [])
})

test('a tenant acts on its own jobs only', async () => {
  let tenant = 'acme'
  await using door = await openDoor({ authenticate: () => ({ tenant }) })
  await door.submit()
  tenant = 'other'
  const filter = { queue: 'default' }
  assert.equal((await read(await door.post('/v1/jobs/cancel', { filter }))).matched, 0)
  tenant = 'acme'
  assert.equal((await read(await door.post('/v1/jobs/cancel', { filter }))).done, 1)
})

test('a filter that names nothing, or a state that an act cannot be for, is refused', async () => {
  await using door = await openDoor()
  for (const body of [{ filter: {} }, { filter: { state: 'running' } }, {}, { filter: { q: 1 } }])
    assert.equal((await door.post('/v1/jobs/retry', body)).status, 422)
})
