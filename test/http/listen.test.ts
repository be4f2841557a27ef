import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { listen } from '../../src/http/listen.ts'
import { hasCode } from '../../src/job/errors.ts'
import { openDoor, read } from './door.ts'

const HERE = { host: '127.0.0.1', port: 0, isOpen: false }

/** Says these very bytes and reads all that is answered until the connection ends. */
async function say(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(request)
  return text(socket)
}

test('an address that others can reach needs to be said aloud', async () => {
  await using door = await openDoor()
  for (const host of ['0.0.0.0', '::', '192.0.2.1'])
    await assert.rejects(listen(door.server, { ...HERE, host }), (error) =>
      hasCode(error, 'ADDRESS_REFUSED'),
    )
})

test('an address in use is named', async () => {
  await using door = await openDoor()
  const first = await listen(door.server, HERE)
  await assert.rejects(
    listen(door.server, { ...HERE, port: first.port }),
    (error) =>
      hasCode(error, 'ADDRESS_IN_USE') && error.details.address === `127.0.0.1:${first.port}`,
  )
  assert.equal(await first.close(1000), true)
})

test('a job goes in and comes out over a real connection', async () => {
  await using door = await openDoor()
  const { url, close } = await listen(door.server, HERE)
  const body = JSON.stringify({ job: 'person.greet', input: { name: 'Ada' } })
  const headers = { 'content-type': 'application/json' }
  const accepted = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body })
  assert.equal(accepted.status, 202)
  await accepted.body?.cancel()

  const id = await door.hand.claimOne()
  const chunked = new Blob(['x'.repeat(2_000_000)]).stream()
  const large = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers,
    body: chunked,
    duplex: 'half',
  })
  assert.deepEqual([large.status, (await read(large)).code], [413, 'BODY_TOO_LARGE'])
  assert.equal((await fetch(`${url}/v1/jobs/${id.id}`)).status, 200)
  await close(1000)
})

test('a body too large by its own word is refused before it is read', async () => {
  await using door = await openDoor()
  const { port, close } = await listen(door.server, HERE)
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n`
  const answer = await say(port, head)
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /connection: close/i)
  await close(1000)
})

const SMUGGLED: [what: string, request: string, status: RegExp][] = [
  [
    'two lengths',
    'POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    / 400 /,
  ],
  [
    'a length and chunks',
    'POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    / 400 /,
  ],
  [
    'a negative length',
    'POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
    / 400 /,
  ],
  [
    '20 KiB of headers',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_480)}\r\n\r\n`,
    / 431 /,
  ],
  ['TRACE', 'TRACE /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', / 405 /],
  [
    'another host',
    'GET /v1/jobs HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
    / 421 /,
  ],
  [
    'another host in the target',
    'GET http://evil.test/v1/jobs HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
    / 421 /,
  ],
]

test('what could mean two things to two parsers is refused', async (t) => {
  await using door = await openDoor()
  const { port, close } = await listen(door.server, HERE)
  for (const [what, request, status] of SMUGGLED)
    await t.test(what, async () => assert.match(await say(port, request), status))
  await close(1000)
})

test('closing answers what was begun, and says so when it could not', async () => {
  const drain = new AbortController()
  await using door = await openDoor({}, { draining: drain.signal })
  const { id } = await door.client.enqueue('person.greet', { name: 'Ada' })
  const first = await listen(door.server, HERE)
  const waiting = fetch(`${first.url}/v1/jobs/${id}`, { headers: { prefer: 'wait=30' } })
  await fetch(`${first.url}/health/live`)
  const closing = first.close(10_000)
  drain.abort()
  assert.equal((await read(await waiting)).state, 'ready')
  assert.equal(await closing, true)

  await using stubborn = await openDoor()
  const other = await stubborn.submit()
  const second = await listen(stubborn.server, HERE)
  const cut = fetch(`${second.url}/v1/jobs/${other}`, { headers: { prefer: 'wait=30' } })
  await fetch(`${second.url}/health/live`)
  const late = second.close(1)
  await assert.rejects(cut)
  assert.equal(await late, false)
})

test('a request that was refused with half of its body unread keeps nothing of a closed server going', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
  const before = timers()
  const { port, close } = await listen({ fetch: () => new Response('no', { status: 413 }) }, HERE)
  const socket = connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf')
  await once(socket, 'data')
  socket.destroy()
  await close(1000)
  assert.equal(timers(), before)
})
