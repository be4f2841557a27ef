import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counting, settled } from '../support/counting.ts'
import { ears } from '../support/ears.ts'
import { idsOf } from '../support/hand.ts'
import { completed } from '../support/jobs.ts'
import { callOn, divert } from '../support/rotation.ts'
import { type Door, openDoor } from './door.ts'
import { eventsOf, follow, report, Stream } from './stream.ts'

/** A door that knows how many reads its streams cost, and whether anybody listens. */
async function watched() {
  let calls = new Map<string, number>()
  let count = () => 0
  const door = await openDoor({}, {}, (store) => {
    const counted = counting(store)
    const heard = ears(counted.store)
    calls = counted.calls
    count = heard.count
    return heard.store
  })
  return Object.assign(door, { reads: () => calls.get('find') ?? 0, ears: () => count() })
}

async function many(door: Door, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => ({ name: 'Ada' }))
  return idsOf(await door.client.enqueueMany('person.greet', names))
}

test('200 streams of one job cost one read of the store a change', async (t) => {
  // The poll for what no bell told would be counted too.
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using door = await watched()
  const id = await door.submit()
  const held = await door.hand.claimOne()
  const streams = await Promise.all(Array.from({ length: 200 }, () => follow(door, id)))
  await Promise.all(streams.map((stream) => stream.view()))
  let next = streams.map((stream) => stream.view())
  await settled()

  const before = door.reads()
  for (const done of [1, 2, 3]) {
    await report(door, held, done)
    for (const view of await Promise.all(next)) assert.equal(view?.progress?.done, done)
    next = streams.map((stream) => stream.view())
    await settled()
    assert.equal(door.reads() - before, done)
  }
  await door.hand.settle(held, completed())
  for (const view of await Promise.all(next)) assert.equal(view?.state, 'completed')
})

test('streams of 200 jobs cost one read of the store a change', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using door = await watched()
  const ids = await many(door, 200)
  const streams = await Promise.all(ids.map((id) => follow(door, id)))
  await Promise.all(streams.map((stream) => stream.view()))
  let next = streams.map((stream) => stream.view())
  await settled()

  const before = door.reads()
  const held = await door.hand.claim(200)
  for (const view of await Promise.all(next)) assert.equal(view?.state, 'running')
  next = streams.map((stream) => stream.view())
  await settled()
  assert.equal(door.reads() - before, 1)
  await door.hand.settleAll(held, completed())
  for (const view of await Promise.all(next)) assert.equal(view?.state, 'completed')
  assert.equal(door.reads() - before, 2)
})

test('a stream that joins others has only its own job read', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const asked: unknown[] = []
  await using door = await openDoor({}, {}, (store) =>
    divert(store, (name, args) => {
      if (name === 'find') asked.push(args[0])
      return callOn(store, name, args)
    }),
  )
  const ids = await many(door, 2)
  for (const id of ids) {
    const stream = await follow(door, id)
    await stream.view()
    void stream.view()
    await settled()
  }
  assert.deepEqual(
    asked,
    ids.flatMap((id) => [[id], [id]]),
  )
})

test('nothing is read for a stream that nobody takes from', async () => {
  await using door = await watched()
  const stream = await follow(door, await door.submit())
  await stream.view()
  const next = stream.view()
  const held = await door.hand.claimOne()
  await next
  await settled()
  const before = door.reads()
  for (const done of [1, 2, 3]) {
    await report(door, held, done)
    await settled()
  }
  assert.equal(door.reads(), before)
})

test('a client that is gone, or asked for the headers only, is not waited for', async () => {
  await using door = await watched()
  const id = await door.submit()
  const gone = new AbortController()
  const stream = await Stream.open(door.server.request(eventsOf(id), { signal: gone.signal }))
  await stream.view()
  const last = stream.view()
  await settled()
  assert.equal(door.ears(), 1)
  gone.abort()
  assert.equal(await last, undefined)
  assert.equal(door.ears(), 0)

  const head = await door.server.request(eventsOf(id), { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  assert.equal(head.headers.get('content-type'), 'text/event-stream')
  await settled()
  assert.equal(door.ears(), 0)
})
