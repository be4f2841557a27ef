import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Door, openDoor, read } from './door.ts'

const NIGHTLY = {
  job: 'person.greet',
  input: { name: 'Ada' },
  cron: '0 2 * * *',
  zone: 'Australia/Perth',
}
const HEADERS = { 'content-type': 'application/json' }

const send = (door: Door, method: string, path: string, body?: unknown) =>
  door.server.request(`/v1/schedules${path}`, {
    method,
    ...(body !== undefined && { headers: HEADERS, body: JSON.stringify(body) }),
  })

test('a schedule is put, seen, previewed, paused, resumed, run and removed', async () => {
  await using door = await openDoor()
  const created = await send(door, 'POST', '', { name: 'nightly', ...NIGHTLY, tags: ['red'] })
  assert.deepEqual(
    [created.status, created.headers.get('location')],
    [201, '/v1/schedules/nightly'],
  )
  const { nextAt, tags, zone } = await read(created)
  assert.match(String(nextAt), /T18:00:00\.000Z$/)
  assert.deepEqual([tags, zone], [['red', 'schedule:nightly'], 'Australia/Perth'])

  assert.equal((await send(door, 'POST', '', { name: 'nightly', ...NIGHTLY })).status, 409)
  assert.equal((await send(door, 'PUT', '/nightly', { ...NIGHTLY, priority: 'high' })).status, 200)
  const seen = await send(door, 'GET', '/nightly')
  const { priority, stamp } = await read(seen)
  assert.deepEqual([priority, seen.headers.get('etag')], [2, `"${String(stamp)}"`])

  const { data } = await read(await send(door, 'GET', '/nightly/preview?count=2'))
  assert.equal(Object(data).length, 2)
  assert.equal((await read(await send(door, 'POST', '/nightly/pause'))).paused, true)
  assert.equal((await read(await send(door, 'GET', '/nightly'))).nextAt, undefined)
  assert.equal((await read(await send(door, 'POST', '/nightly/resume'))).nextAt, nextAt)

  const run = await send(door, 'POST', '/nightly/run')
  assert.equal(run.status, 202)
  assert.deepEqual((await read(run)).tags, ['schedule:nightly'])
  assert.equal((await door.hand.claimOne()).job, 'person.greet')

  assert.equal((await send(door, 'DELETE', '/nightly')).status, 204)
  assert.deepEqual(await read(await send(door, 'GET', '')), { data: [] })
})

test('a run that is asked for again under its key is one job', async () => {
  await using door = await openDoor()
  await send(door, 'PUT', '/nightly', NIGHTLY)
  const ask = () =>
    door.server.request('/v1/schedules/nightly/run', {
      method: 'POST',
      headers: { 'idempotency-key': 'k' },
    })
  const [first, second] = [await read(await ask()), await read(await ask())]
  assert.equal(first.id, second.id)
  assert.equal((await read(await send(door, 'GET', '/nightly'))).fired, 1)
})

test('what cannot be fired is refused, and says where', async () => {
  await using door = await openDoor()
  const refusals: [object, string, string?][] = [
    [{ input: { name: '' } }, 'INVALID_INPUT', '/input/name'],
    [{ job: 'nobody' }, 'UNKNOWN_JOB'],
    [{ cron: '60 * * * *' }, 'INVALID_CRON'],
    [{ cron: '30 2 31 2 *' }, 'CRON_NEVER_FIRES'],
    [{ zone: 'Mars/Phobos' }, 'UNKNOWN_TIME_ZONE'],
    [{ every: '1h' }, 'INVALID_OPTION', '/cron'],
    [{ overlap: 'queue' }, 'VALIDATION_FAILED', '/overlap'],
    [{ corn: '* * * * *' }, 'VALIDATION_FAILED', '/corn'],
  ]
  for (const [over, code, pointer] of refusals) {
    const problem = await read(await send(door, 'PUT', '/x', { ...NIGHTLY, ...over }))
    const [issue] = [problem.errors ?? []].flat()
    assert.deepEqual([problem.status, problem.code], [422, code])
    if (pointer !== undefined) assert.equal(Object(issue).pointer, pointer)
  }
  for (const [method, path] of [
    ['GET', '/x'],
    ['DELETE', '/x'],
    ['POST', '/x/pause'],
    ['POST', '/x/run'],
  ] as const)
    assert.equal((await send(door, method, path)).status, 404)
  assert.equal((await send(door, 'GET', '/x/preview?count=101')).status, 400)
})

test('a tenant has schedules of its own, and does not see those of others', async () => {
  let tenant = 'acme'
  await using door = await openDoor({ authenticate: () => ({ tenant }) })
  await send(door, 'PUT', '/nightly', NIGHTLY)
  tenant = 'other'
  assert.equal((await send(door, 'GET', '/nightly')).status, 404)
  assert.equal((await send(door, 'DELETE', '/nightly')).status, 404)
  assert.equal((await send(door, 'PUT', '/nightly', NIGHTLY)).status, 201)
  const run = await read(await send(door, 'POST', '/nightly/run'))
  assert.equal(run.tenant, 'other')
  assert.equal(Object((await read(await send(door, 'GET', ''))).data).length, 1)
})
