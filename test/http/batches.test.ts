import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLines } from '../../src/http/ndjson.ts'
import { Unreadable } from '../../src/client/sending.ts'
import { newId } from '../../src/base/id.ts'
import { bytes, completed, failed } from '../support/jobs.ts'
import { type Door, idOf, openDoor, read } from './door.ts'

const people = (...names: string[]) => names.map((name) => ({ name }))
const submit = (door: Door, body: object, headers?: Record<string, string>) =>
  door.post('/v1/batches', { job: 'person.greet', ...body }, headers)
const stream = (door: Door, query: string, lines: string, headers: Record<string, string> = {}) =>
  door.post(`/v1/batches?${query}`, lines, { 'content-type': 'application/x-ndjson', ...headers })

test('a batch as a list is answered 202 with how it stands and what may be done', async () => {
  await using door = await openDoor()
  const answer = await submit(door, { items: people('Ada', 'Bob') })
  assert.equal(answer.status, 202)
  const { id: given, links, createdAt: _, closedAt: __, ...view } = await read(answer)
  const id = String(given)
  assert.equal(answer.headers.get('location'), `/v1/batches/${id}`)
  assert.deepEqual(view, {
    job: 'person.greet',
    state: 'closed',
    items: 2,
    pending: 2,
    completed: 0,
    withErrors: 0,
    failed: 0,
    cancelled: 0,
  })
  const self = `/v1/batches/${id}`
  assert.deepEqual(links, { self, items: `${self}/items`, cancel: `${self}/cancel` })
})

test('a batch as a stream is read line by line, blank ones left out', async () => {
  await using door = await openDoor()
  const lines = '{"name":"Ada"}\n\n{"name":"Bob"}\r\n  {"name":"Cleo"}'
  const answer = await stream(door, 'job=person.greet&priority=high&tags=a,b&keep=1d', lines)
  assert.equal(answer.status, 202)
  const { id: given, items } = await read(answer)
  const id = String(given)
  assert.equal(items, 3)
  const [job] = await door.hand.claim(1)
  assert.equal(job?.place?.batch, id)
  const page = await read(await door.get(`/v1/batches/${id}/items?limit=1`))
  assert(Array.isArray(page.data))
  assert.deepEqual(
    [page.data[0].index, page.data[0].tags, page.data[0].priority, page.nextCursor],
    [0, ['a', 'b'], 2, '1'],
  )
})

test('items that do not fit are told by their place, and refuse the whole', async () => {
  await using door = await openDoor()
  const list = await submit(door, { items: [{ name: 'Ada' }, { name: '' }, 7] })
  assert.equal(list.status, 422)
  const problem = await read(list)
  assert.equal(problem.code, 'INVALID_ITEMS')
  assert(Array.isArray(problem.errors))
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ['/items/1/name', '/items/2'],
  )
  const lines = await stream(door, 'job=person.greet', '{"name":"Ada"}\n{"name":')
  assert.deepEqual([lines.status, (await read(lines)).code], [422, 'INVALID_ITEMS'])
  assert.deepEqual(await read(await door.get('/v1/batches')), { data: [] })
})

test('with invalid=fail they are taken, and fail alone', async () => {
  await using door = await openDoor()
  const answer = await submit(door, { items: [{ name: 'Ada' }, {}], invalid: 'fail' })
  assert.equal(answer.status, 202)
  const { items, invalid, errors } = await read(answer)
  assert.deepEqual([items, invalid], [2, 1])
  assert(Array.isArray(errors))
  assert.equal(errors[0].pointer, '/items/1/name')
})

test('a request that is repeated under its key, or under its id, finds the first batch', async () => {
  await using door = await openDoor()
  const key = { 'idempotency-key': 'once' }
  const first = await idOf(await submit(door, { items: people('Ada') }, key))
  const again = await submit(door, { items: people('Ada') }, key)
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  assert.deepEqual(
    [(await read(again)).id, (await door.watch.batches()).batches.length],
    [first, 1],
  )
  const other = await submit(door, { items: people('Ada'), priority: 'low' }, key)
  assert.deepEqual([other.status, (await read(other)).code], [422, 'IDEMPOTENCY_KEY_REUSED'])
  const id = newId()
  await submit(door, { items: people('Ada'), id })
  const joined = await read(await submit(door, { items: people('Ada'), id }))
  assert.deepEqual([joined.id, joined.joined], [id, true])
})

test('what failed is given as CSV in the order of its places, and no cell is a formula', async () => {
  await using door = await openDoor()
  const id = await idOf(await submit(door, { items: people('Ada', 'Bob', 'Cleo') }))
  const [ada, bob, cleo] = await door.hand.claim(3)
  await door.hand.settle(cleo!, failed({ error: bytes('{"name":"E","message":"=1+1"}') }))
  await door.hand.settle(bob!, completed())
  await door.hand.settle(ada!, failed({ error: bytes('{"name":"E","message":"a \\"b\\", c"}') }))
  const answer = await door.get(`/v1/batches/${id}/errors.csv`)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/csv/)
  const lines = (await answer.text()).split('\r\n')
  assert.deepEqual(lines, [
    'index,id,reason,error,message',
    `0,${ada!.id},error,E,"a ""b"", c"`,
    `2,${cleo!.id},error,E,'=1+1`,
    '',
  ])
})

test('a batch is waited for, and known again by its tag', async () => {
  await using door = await openDoor()
  const id = await idOf(await submit(door, { items: people('Ada') }))
  const first = await door.get(`/v1/batches/${id}`)
  const tag = first.headers.get('etag') ?? ''
  assert.equal((await door.get(`/v1/batches/${id}`, { 'if-none-match': tag })).status, 304)
  const waiting = door.get(`/v1/batches/${id}`, { prefer: 'wait=20', 'if-none-match': tag })
  await door.hand.settle(await door.hand.claimOne(), completed())
  const ended = await read(await waiting)
  assert.deepEqual([ended.state, ended.outcome], ['ended', 'completed'])
})

test('a batch is cancelled, and what failed of one is retried', async () => {
  await using door = await openDoor()
  const id = await idOf(await submit(door, { items: people('Ada', 'Bob') }))
  await door.hand.settle(await door.hand.claimOne(), failed())
  const cancelled = await door.post(`/v1/batches/${id}/cancel`, {})
  assert.deepEqual([cancelled.status, (await read(cancelled)).stopped], [202, 'asked'])
  await door.hand.settle(await door.hand.claimOne(), completed())
  const retried = await door.post(`/v1/batches/${id}/retry`, {})
  const view = await read(retried)
  assert.deepEqual([retried.status, view.retried, view.failed, view.state], [202, 1, 0, 'closed'])
})

test("another tenant's batch does not exist", async () => {
  await using door = await openDoor({
    authenticate: (request) => ({ tenant: request.headers.get('x-tenant') ?? '' }),
  })
  const acme = { 'x-tenant': 'acme' }
  const id = await idOf(await submit(door, { items: people('Ada') }, acme))
  for (const path of ['', '/items', '/errors.csv'])
    assert.equal((await door.get(`/v1/batches/${id}${path}`, { 'x-tenant': 'other' })).status, 404)
  assert.deepEqual(await read(await door.get('/v1/batches', { 'x-tenant': 'other' })), { data: [] })
  assert.equal((await door.get(`/v1/batches/${id}`, acme)).status, 200)
})

test('a stream in an unknown type, without its job, or with what it does not take is refused', async () => {
  await using door = await openDoor()
  const line = '{"name":"Ada"}'
  const refusals: [query: string, type: string, status: number][] = [
    ['job=person.greet', 'text/plain', 415],
    ['', 'application/x-ndjson', 400],
    ['job=person.greet&colour=red', 'application/x-ndjson', 400],
    ['job=person.greet&stopAfter=many', 'application/x-ndjson', 400],
    ['job=nobody.knows', 'application/x-ndjson', 422],
    ['job=person.greet', 'application/x-ndjson', 422],
  ]
  for (const [query, type, status] of refusals) {
    const answer = await stream(door, query, status === 422 ? '' : line, { 'content-type': type })
    assert.equal(answer.status, status, query)
  }
})

test('lines are found however they are cut, and those that are none say why', async () => {
  const text = Buffer.concat([
    Buffer.from('\uFEFF{"a":"ä"}\n'),
    Buffer.from([0xff, 0x0a]),
    Buffer.from('[1,\n"end"'),
  ])
  const cut = async function* (size: number) {
    for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size)
  }
  for (const size of [1, 2, 3, 7, 1000]) {
    const found: unknown[] = []
    for await (const item of readLines(cut(size)))
      found.push(item instanceof Unreadable ? item.why : item)
    assert.deepEqual(found, [{ a: 'ä' }, 'the line is not UTF-8', 'the line is not JSON', 'end'])
  }
  async function* long() {
    for (let i = 0; i < 3; i++) yield Buffer.alloc(600_000, 'x')
    yield Buffer.from('\n1\n')
  }
  const told: unknown[] = []
  for await (const item of readLines(long()))
    told.push(item instanceof Unreadable ? item.why : item)
  assert.deepEqual(told, ['the line is too long', 1])
})
