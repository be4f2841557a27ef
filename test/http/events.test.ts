import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled } from '../support/counting.ts'
import { Cuttable } from '../support/cuttable.ts'
import { bytes, completed } from '../support/jobs.ts'
import { openDoor, read } from './door.ts'
import { eventsOf, follow, report, Stream } from './stream.ts'

test('a stream tells when to come back, then the job as it is read elsewhere', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  const stream = new Stream(await door.get(eventsOf(id)))
  const { headers } = stream.answer
  assert.equal(headers.get('content-type'), 'text/event-stream')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('x-accel-buffering'), 'no')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.match(headers.get('x-request-id') ?? '', /^[\da-f-]{36}$/)

  const first = (await stream.frame()) ?? 'it ended'
  const [, ms] = /^retry: (\d+)$/.exec(first) ?? []
  assert(Number(ms) >= 1000 && Number(ms) <= 5000, first)
  const job = await read(await door.get(`/v1/jobs/${id}`))
  assert.deepEqual(await stream.view(), job)
  assert.equal(Object(job.links).events, eventsOf(id))
})

test('the document says that it is a stream', async () => {
  await using door = await openDoor()
  const { paths } = await read(await door.get('/openapi.json'))
  const { responses } = Object(paths)['/v1/jobs/{id}/events'].get
  assert.deepEqual(Object.keys(responses), ['200', '204', 'default'])
  assert.deepEqual(Object.keys(responses['200'].content), ['text/event-stream'])
})

test('every change follows, and the stream ends with the job', async () => {
  await using door = await openDoor()
  const stream = await follow(door, await door.submit())
  assert.equal((await stream.view())?.state, 'ready')
  const running = stream.view()
  const held = await door.hand.claimOne()
  assert.equal((await running)?.state, 'running')
  const reported = stream.view()
  await report(door, held, 1)
  assert.equal((await reported)?.progress?.done, 1)
  const ended = stream.view()
  await door.hand.settle(held, completed({ result: bytes('"hi"') }))
  const last = await ended
  assert.deepEqual([last?.state, last?.result], ['completed', 'hi'])
  assert.equal(await stream.view(), undefined)
})

test('what was not taken in time is skipped: the next view is the latest, at once', async (t) => {
  // Without the poll, what changed meanwhile is found only by who remembers the bell.
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using door = await openDoor()
  const stream = await follow(door, await door.submit())
  await stream.view()
  const held = await door.hand.claimOne()
  for (const latest of [3, 6]) {
    for (const done of [latest - 2, latest - 1, latest]) {
      await report(door, held, done)
      await settled()
    }
    assert.equal((await stream.view())?.progress?.done, latest)
  }
})

test('who comes back is told how the job stands, unless that is what they saw', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  const { rev } = (await (await follow(door, id)).view()) ?? {}
  const late = await follow(door, id, { 'last-event-id': '0x0' })
  assert.equal((await late.view())?.rev, rev)

  const early = await follow(door, id, { 'last-event-id': `${rev}` })
  let told = 0
  const next = early.view().finally(() => told++)
  await settled()
  assert.equal(told, 0)
  await door.hand.claimOne()
  assert.equal((await next)?.state, 'running')
})

test('who saw the end is told not to come back', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.complete('hi')
  const stream = await follow(door, id)
  const ended = await stream.view()
  assert.equal(ended?.state, 'completed')
  assert.equal(await stream.view(), undefined)
  const again = await door.get(eventsOf(id), { 'last-event-id': `${ended.rev}` })
  assert.deepEqual([again.status, await again.text()], [204, ''])
})

test('a job that is unknown, or of another tenant, is refused before a stream begins', async () => {
  await using door = await openDoor({
    authenticate: ({ headers }) => ({ tenant: headers.get('x-tenant') ?? '' }),
  })
  const id = await door.submit({ 'x-tenant': 'acme' })
  assert.equal((await (await follow(door, id, { 'x-tenant': 'acme' })).view())?.tenant, 'acme')
  for (const [asked, tenant] of [
    [id, 'other'],
    ['0193e0a4-0000-7000-8000-000000000001', 'acme'],
    ['nope', 'acme'],
  ] as const) {
    const answer = await door.get(eventsOf(asked), { 'x-tenant': tenant })
    assert.equal(answer.status, 404)
    assert.equal((await read(answer)).code, 'JOB_NOT_FOUND')
  }
})

test('the stream of an erased job ends', async () => {
  await using door = await openDoor()
  const stream = await follow(door, await door.submit())
  await stream.view()
  await door.hand.settle(await door.hand.claimOne(), completed({ keepMs: 0 }))
  await door.store.purge(10)
  assert.equal(await stream.view(), undefined)
})

test('a stream does not go on with the job of another tenant under the same id', async () => {
  await using door = await openDoor()
  const id = '0193e0a4-0000-7000-8000-000000000001'
  const enqueue = (tenant: string) =>
    door.client.enqueue('person.greet', { name: 'Ada' }, { id, tenant })
  await enqueue('acme')
  const stream = await follow(door, id)
  await stream.view()
  await door.hand.settle(await door.hand.claimOne(), completed({ keepMs: 0 }))
  await door.store.purge(10)
  await enqueue('other')
  await report(door, await door.hand.claimOne(), 1)
  assert.equal(await stream.view(), undefined)
})

test('a stream that has nothing to tell says every 15 s that it lives', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  await using door = await openDoor()
  const stream = await follow(door, await door.submit())
  await stream.view()
  for (let beat = 0; beat < 2; beat++) {
    const told: unknown[] = []
    const next = stream.frame().then((frame) => told.push(frame))
    await settled()
    t.mock.timers.tick(14_999)
    await settled()
    assert.deepEqual(told, [])
    t.mock.timers.tick(1)
    await settled()
    assert.deepEqual(told, [':'])
    await next
  }
})

test('an outage of the store is waited out', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const lent: Cuttable[] = []
  await using door = await openDoor({}, {}, (store) => {
    const line = new Cuttable(store)
    lent.push(line)
    return line.store
  })
  const stream = await follow(door, await door.submit())
  await stream.view()
  const next = stream.view()
  await settled()
  lent[0]?.cut('find', 'before')
  await door.hand.claimOne()
  await settled()
  t.mock.timers.tick(1000)
  assert.equal((await next)?.state, 'running')
})

test('a draining server, and one that has closed its store, ends its streams at once', async () => {
  const drain = new AbortController()
  await using draining = await openDoor({}, { draining: drain.signal })
  const id = await draining.submit()
  const drained = await follow(draining, id)
  await drained.view()
  const last = drained.view()
  await settled()
  drain.abort()
  assert.equal(await last, undefined)
  const late = await follow(draining, id)
  assert.equal((await late.view())?.state, 'ready')
  assert.equal(await late.view(), undefined)

  await using closing = await openDoor()
  const closed = await follow(closing, await closing.submit())
  await closed.view()
  const end = closed.view()
  await settled()
  closing.watch[Symbol.dispose]()
  assert.equal(await end, undefined)
})
