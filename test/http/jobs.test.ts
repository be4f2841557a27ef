import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { bytes, cancels } from '../support/jobs.ts'
import { idOf, openDoor, read } from './door.ts'

const Accepted = z.looseObject({ id: z.string(), rev: z.number() })
const GREETING = { job: 'person.greet', input: { name: 'Ada' } }

test('a submitted job is accepted with its place, its version and when to ask again', async () => {
  await using door = await openDoor()
  const answer = await door.post('/v1/jobs', { ...GREETING, tags: ['first'], priority: 'high' })
  const job = Accepted.parse(await read(answer))
  assert.equal(answer.status, 202)
  assert.equal(answer.headers.get('location'), `/v1/jobs/${job.id}`)
  assert.equal(answer.headers.get('retry-after'), '1')
  assert.equal(answer.headers.get('etag'), `"${job.rev}"`)
  assert.deepEqual([job.state, job.priority, job.tags], ['ready', 2, ['first']])
  assert.deepEqual(job.links, {
    self: `/v1/jobs/${job.id}`,
    events: `/v1/jobs/${job.id}/events`,
    artifacts: `/v1/jobs/${job.id}/artifacts`,
    cancel: `/v1/jobs/${job.id}/cancel`,
  })
})

test('input comes back byte for byte, whatever its keys and characters', async () => {
  await using door = await openDoor()
  const input = '{"hasOwnProperty":1,"toString":"x","then":null,"text":"\\u0000 €😀"}'
  await door.post('/v1/jobs', `{"job":"thing.keep","input":${input}}`)
  const held = await door.hand.claimOne('things')
  assert.equal(new TextDecoder().decode(held.input), input)
})

test('a request that prefers to wait is answered with the end of its job', async () => {
  await using door = await openDoor()
  const waiting = door.post('/v1/jobs', GREETING, { prefer: 'respond-async, wait=20' })
  let held = await door.hand.claim()
  while (held.length === 0) held = await door.hand.claim()
  await door.hand.settle(held[0]!, {
    to: 'completed',
    result: bytes('"hi"'),
    withErrors: false,
    artifacts: [],
    keepMs: 1e6,
  })
  const answer = await waiting
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('preference-applied'), 'wait=20')
  assert.equal(answer.headers.get('retry-after'), null)
  assert.equal((await read(answer)).result, 'hi')
})

test('nobody is kept waiting once the server is draining', async () => {
  const drain = new AbortController()
  await using door = await openDoor({}, { draining: drain.signal })
  const id = await door.submit()
  const waiting = door.get(`/v1/jobs/${id}`, { prefer: 'wait=50' })
  drain.abort()
  const answer = await waiting
  assert.equal((await read(answer)).state, 'ready')
  assert.equal(answer.headers.get('connection'), 'close')
  assert.equal((await door.get('/health/ready')).status, 503)
})

test('a repeat under the same idempotency key joins the first job, another body is refused', async () => {
  await using door = await openDoor()
  const key = { 'idempotency-key': '"order-1"' }
  const first = await idOf(await door.post('/v1/jobs', GREETING, key))
  const again = await door.post('/v1/jobs', GREETING, { 'idempotency-key': 'order-1' })
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  const job = await read(again)
  assert.deepEqual([again.status, job.id, job.joined], [202, first, true])

  const other = await door.post('/v1/jobs', { ...GREETING, input: { name: 'Bob' } }, key)
  assert.deepEqual([other.status, (await read(other)).code], [422, 'IDEMPOTENCY_KEY_REUSED'])
})

test("a caller's id joins when the request is the same and conflicts when it is not", async () => {
  await using door = await openDoor()
  const id = '0193e0a4-0000-7000-8000-000000000001'
  await door.post('/v1/jobs', { ...GREETING, id })
  const same = await door.post('/v1/jobs', { ...GREETING, id })
  assert.equal((await read(same)).joined, true)
  const other = await door.post('/v1/jobs', { job: 'person.greet', input: { name: 'Bob' }, id })
  assert.deepEqual([other.status, (await read(other)).code], [409, 'ID_TAKEN'])
})

test('a job that has not changed is not sent again', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  const first = await door.get(`/v1/jobs/${id}`)
  const etag = first.headers.get('etag') ?? ''
  const second = await door.get(`/v1/jobs/${id}`, { 'if-none-match': `"x", W/${etag}` })
  assert.deepEqual([second.status, await second.text()], [304, ''])
  await door.complete('done')
  const third = await door.get(`/v1/jobs/${id}`, { 'if-none-match': etag })
  assert.deepEqual([third.status, (await read(third)).state], [200, 'completed'])
})

test('lists are pages that go on where the last one ended', async () => {
  await using door = await openDoor()
  const ids = [await door.submit(), await door.submit(), await door.submit()]
  await door.post('/v1/jobs', { job: 'thing.keep', input: 1 })
  const Page = z.object({
    data: z.array(z.object({ id: z.string() })),
    nextCursor: z.string().optional(),
  })
  const first = Page.parse(await read(await door.get('/v1/jobs?queue=default&limit=2')))
  const rest = await door.get(`/v1/jobs?queue=default&limit=2&cursor=${first.nextCursor}`)
  const second = Page.parse(await read(rest))
  assert.equal(second.nextCursor, undefined)
  const seen = [...first.data, ...second.data].map(({ id }) => id)
  assert.deepEqual(seen.toSorted(), ids.toSorted())
})

test('cancelling ends a waiting job, asks a running one, and is refused for an ended one', async () => {
  await using door = await openDoor()
  const waiting = await door.submit()
  const ended = await door.server.request(`/v1/jobs/${waiting}/cancel`, { method: 'POST' })
  assert.deepEqual([ended.status, (await read(ended)).state], [200, 'cancelled'])

  const busy = await door.submit()
  await door.hand.claimOne()
  const asked = await door.server.request(`/v1/jobs/${busy}/cancel`, { method: 'POST' })
  assert.deepEqual([asked.status, (await read(asked)).cancelAsked], [202, true])

  const again = await door.server.request(`/v1/jobs/${waiting}/cancel`, { method: 'POST' })
  assert.equal(again.status, 200)
  const done = await door.submit()
  await door.complete('hi')
  const late = await door.server.request(`/v1/jobs/${done}/cancel`, { method: 'POST' })
  const problem = await read(late)
  assert.deepEqual([late.status, problem.code], [409, 'WRONG_STATE'])
  assert.match(String(problem.detail), /is completed/)
})

test('a failed job shows its error without its stack, and gets another life under its id', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.fail()
  const dead = await door.get(`/v1/jobs/${id}`)
  const text = await dead.text()
  assert.match(text, /"message":"no"/)
  assert.doesNotMatch(text, /inside/)
  const attempts = await (await door.get(`/v1/jobs/${id}/attempts`)).text()
  assert.match(attempts, /"message":"no"/)
  assert.doesNotMatch(attempts, /inside/)

  const again = await door.post(`/v1/jobs/${id}/retry`, { input: { name: 'Bob' } })
  assert.deepEqual([again.status, (await read(again)).state], [202, 'ready'])
  const held = await door.hand.claimOne()
  assert.equal(new TextDecoder().decode(held.input), '{"name":"Bob"}')
})

test('retry needs no body', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.fail()
  const answer = await door.server.request(`/v1/jobs/${id}/retry`, { method: 'POST' })
  assert.equal(answer.status, 202)
})

test('log lines are read on from a number', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  const held = await door.hand.claimOne()
  const line = (text: string) => ({ at: 1000, level: 'info' as const, text })
  await door.hand.note(held, { log: [line('one'), line('two')] })
  const Lines = z.object({ data: z.array(z.object({ n: z.number(), text: z.string() })) })
  const all = Lines.parse(await read(await door.get(`/v1/jobs/${id}/logs`)))
  assert.deepEqual(
    all.data.map(({ text }) => text),
    ['one', 'two'],
  )
  const [first] = all.data
  const rest = Lines.parse(await read(await door.get(`/v1/jobs/${id}/logs?after=${first?.n}`)))
  assert.deepEqual(
    rest.data.map(({ text }) => text),
    ['two'],
  )
})

test('why a job is not running is told over HTTP', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.store.cancel(cancels([id]))
  const { code, text } = await read(await door.get(`/v1/jobs/${id}/why`))
  assert.equal(code, 'ENDED')
  assert.match(String(text), /it is cancelled/)
})
