import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { LIMITS, listen } from '../../src/http/listen.ts'
import { ears } from '../support/ears.ts'
import { bytes, completed } from '../support/jobs.ts'
import { eventually } from '../support/until.ts'
import { openDoor, read } from './door.ts'
import { report, Stream } from './stream.ts'

const HERE = { host: '127.0.0.1', port: 0, isOpen: false }
/** Node has limits of its own, which are met later. */
const PATIENCE_MS = 8000
const HEAD = 'Host: localhost\r\nContent-Type: application/json\r\n'
/** More than two kernels hold between a server and a client that reads nothing. */
const MUCH = bytes(JSON.stringify({ status: 'x'.repeat(12_000_000) }))

/** A door on a real address, with limits short enough to be met. */
async function openSlow(limits: Partial<typeof LIMITS> = {}) {
  let count = () => 0
  const drain = new AbortController()
  const door = await openDoor({}, { draining: drain.signal }, (store) => {
    const heard = ears(store)
    count = heard.count
    return heard.store
  })
  let gaveUp = 0
  const fetch = (request: Request) => {
    request.signal.addEventListener('abort', () => gaveUp++)
    return door.server.fetch(request)
  }
  const { url, port, close } = await listen({ fetch }, HERE, limits)
  return {
    ...door,
    url,
    /** How many answers did not reach their end. */
    gaveUp: () => gaveUp,
    ears: () => count(),
    drain: () => drain.abort(),
    close,
    say: (request: string) => {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const socket = connect({ port, host: '127.0.0.1', signal })
      socket.write(request)
      return socket
    },
    [Symbol.asyncDispose]: async () => {
      await close(0)
      await door[Symbol.asyncDispose]()
    },
  }
}

test('the limits of a connection are those that are documented', () => {
  assert.deepEqual(LIMITS, {
    maxHeaderSize: 16_384,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    streamTimeout: 3_600_000,
    keepAliveTimeout: 5000,
    connectionsCheckingInterval: 5000,
    stallTimeout: 30_000,
  })
})

const SLOW: [what: string, request: string][] = [
  ['nothing', ''],
  ['half a head', `POST /v1/jobs HTTP/1.1\r\nHost: loc`],
  ['half a body', `POST /v1/jobs HTTP/1.1\r\n${HEAD}Content-Length: 99\r\n\r\n{"job":`],
]

test('a request that does not come to its end is answered 408, others meanwhile', async (t) => {
  const limits = { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 }
  await using door = await openSlow(limits)
  for (const [what, request] of SLOW)
    await t.test(what, async () => {
      const answer = text(door.say(request))
      assert.equal((await fetch(`${door.url}/v1/queues`)).status, 200)
      assert.match(await answer, /^HTTP\/1\.1 408 /)
    })
})

test('a connection that asks nothing more is closed', async () => {
  await using door = await openSlow({ keepAliveTimeout: 1 })
  const answer = await text(door.say(`GET /health/live HTTP/1.1\r\n${HEAD}\r\n`))
  assert.match(answer, /^HTTP\/1\.1 200 /)
})

test('nobody waits on for a client that vanished', async (t) => {
  await using door = await openSlow()
  const id = await door.submit()
  for (const [what, request] of [
    ['while it preferred to wait', `GET /v1/jobs/${id} HTTP/1.1\r\nPrefer: wait=20\r\n${HEAD}\r\n`],
    ['from a stream', `GET /v1/jobs/${id}/events HTTP/1.1\r\n${HEAD}\r\n`],
  ] as const)
    await t.test(what, async () => {
      const socket = door.say(request).resume()
      await eventually(() => door.ears() === 1)
      socket.destroy()
      await eventually(() => door.ears() === 0)
    })
})

test('a stream that is not read holds up no other, and goes on with the latest', async () => {
  await using door = await openSlow()
  await door.client.enqueueMany('person.greet', [{ name: 'Ada' }, { name: 'Bob' }])
  const [large, small] = await door.hand.claim(2)
  assert(large && small)
  await door.hand.note(large, { progress: MUCH })
  const open = (id: string) => Stream.open(fetch(`${door.url}/v1/jobs/${id}/events`))
  const stalled = await open(large.id)
  const other = await open(small.id)
  await other.view()
  for (let done = 1; done <= 20; done++) {
    for (const held of [large, small]) await report(door, held, done)
    assert.equal((await other.view())?.progress?.done, done)
  }
  assert.equal((await stalled.view())?.progress?.done, undefined)
  assert.equal((await stalled.view())?.progress?.done, 20)
})

test('who takes nothing of what is ready is let go, who has nothing to take is not', async () => {
  await using door = await openSlow({ stallTimeout: 50 })
  const waits = await door.client.enqueue('thing.keep', 1)
  const large = await door.submit()
  await door.hand.note(await door.hand.claimOne(), { progress: MUCH })
  const quiet = await Stream.open(fetch(`${door.url}/v1/jobs/${waits.id}/events`))
  await quiet.view()
  const waiting = fetch(`${door.url}/v1/jobs/${waits.id}`, { headers: { prefer: 'wait=20' } })

  const socket = door.say(`GET /v1/jobs/${large}/events HTTP/1.1\r\n${HEAD}\r\n`)
  socket.on('error', () => undefined)
  await eventually(() => door.gaveUp() === 1)
  assert(!socket.destroyed, 'it left by itself')
  await once(socket.resume(), 'close')

  await door.hand.settle(await door.hand.claimOne('things'), completed())
  assert.equal((await read(await waiting)).state, 'completed')
  assert.equal((await quiet.view())?.state, 'completed')
})

test('a draining server is closed at once, whoever follows a job', async () => {
  await using door = await openSlow()
  const stream = await Stream.open(fetch(`${door.url}/v1/jobs/${await door.submit()}/events`))
  await stream.view()
  const closing = door.close(2000)
  door.drain()
  assert.equal(await stream.view(), undefined)
  assert.equal(await closing, true)
})
