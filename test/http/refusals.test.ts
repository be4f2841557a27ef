import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BODIES } from './bodies.ts'
import { idOf, openDoor, read } from './door.ts'

const FORBIDDEN = /node_modules|SELECT|ECONN|\/home|\/work|sqlite|x{200}/

async function assertProblem(answer: Response, status: number, code: string) {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  const text = await answer.clone().text()
  assert(text.length <= 4096, `${text.length} characters`)
  assert.doesNotMatch(text, FORBIDDEN)
  const { errors, ...problem } = await read(answer)
  assert.deepEqual([answer.status, problem.status, problem.code], [status, status, code], text)
  assert.equal(problem.type, `/problems/${code.toLowerCase().replaceAll('_', '-')}`)
  assert.equal(problem.requestId, answer.headers.get('x-request-id'))
  return Array.isArray(errors) ? errors : []
}

test('a bad submission stores nothing and is told exactly what is wrong', async (t) => {
  await using door = await openDoor()
  for (const [what, body, status, code, pointer, headers] of BODIES)
    await t.test(`${what}: ${status} ${code}`, async () => {
      const answer = await door.post('/v1/jobs', body, headers)
      const errors = await assertProblem(answer, status, code)
      if (pointer !== undefined) assert.equal(errors[0]?.pointer, pointer)
      assert.deepEqual((await door.watch.list({}, 10)).jobs, [])
    })
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('every mistake of a body is named, 50 at most', async () => {
  await using door = await openDoor()
  const wild = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, 1]))
  const answer = await door.post('/v1/jobs', { ...wild, job: 5 })
  const { errors } = await read(answer)
  assert(Array.isArray(errors))
  assert.equal(errors.length, 50)
  assert.deepEqual(
    errors.slice(0, 3).map(({ pointer, code }) => [pointer, code]),
    [
      ['/job', 'invalid_type'],
      ['/input', 'invalid'],
      ['/k0', 'unknown_field'],
    ],
  )
})

const QUERIES: [query: string, parameter: string][] = [
  ['limit=-1', 'limit'],
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['limit=abc', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['state=dead', 'state'],
  ['sort=;drop', 'sort'],
  ['cursor=tampered', 'cursor'],
  ['tag=%00', 'tag'],
]

test('a list asked for in a way that is not understood is refused', async (t) => {
  await using door = await openDoor()
  for (const [query, parameter] of QUERIES)
    await t.test(query, async () => {
      const answer = await door.get(`/v1/jobs?${query}`)
      await assertProblem(answer.clone(), 400, 'INVALID_QUERY')
      assert.match(String((await read(answer)).detail), new RegExp(` ${parameter} `))
    })
})

const STRANGE = [
  'nope',
  '%2e%2e%2f',
  '%00',
  '..%2f..%2fetc%2fpasswd',
  'x'.repeat(5000),
  "'%20OR%201=1--",
  '%',
]

test('an id that names nothing, in any shape, is not found', async (t) => {
  await using door = await openDoor()
  const unknown = '0193e0a4-0000-7000-8000-00000000ffff'
  for (const id of [unknown, ...STRANGE])
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/attempts'],
      ['GET', '/logs'],
      ['GET', '/artifacts'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['POST', '/retry'],
    ] as const)
      await t.test(`${method} ${id.slice(0, 20)}${path}`, async () => {
        const answer = await door.server.request(`/v1/jobs/${id}${path}`, { method })
        await assertProblem(answer, 404, 'JOB_NOT_FOUND')
      })
})

test('what is not there and what may not be done there are told apart', async () => {
  await using door = await openDoor()
  await assertProblem(await door.get('/v2/jobs'), 404, 'NOT_FOUND')
  for (const [method, path, allow] of [
    ['DELETE', '/v1/jobs', 'GET, HEAD, POST'],
    ['PUT', '/v1/jobs/x', 'GET, HEAD, DELETE'],
    ['GET', '/v1/jobs/x/cancel', 'POST'],
    ['OPTIONS', '/v1/queues', 'GET, HEAD'],
  ] as const) {
    const answer = await door.server.request(path, { method })
    assert.equal(answer.headers.get('allow'), allow)
    await assertProblem(answer, 405, 'METHOD_NOT_ALLOWED')
  }
  const id = await door.submit()
  const overridden = await door.get(`/v1/jobs/${id}`, { 'x-http-method-override': 'DELETE' })
  assert.equal(overridden.status, 200)
})

test('a job of another tenant does not exist, and a tenant cannot be claimed', async () => {
  const authenticate = (request: Request) => {
    const tenant = request.headers.get('authorization')
    return tenant === null ? undefined : { tenant }
  }
  await using door = await openDoor({ authenticate })
  const stranger = await door.get('/v1/jobs')
  assert.equal(stranger.headers.get('www-authenticate'), 'Bearer')
  await assertProblem(stranger, 401, 'UNAUTHENTICATED')
  assert.equal((await door.get('/health/live')).status, 200)
  assert.equal((await door.get('/health/ready')).status, 200)

  const ann = { authorization: 'ann' }
  const bob = { authorization: 'bob' }
  const id = await idOf(await door.post('/v1/jobs', { job: 'thing.keep', input: 1 }, ann))
  assert.equal((await door.watch.job(id)).tenant, 'ann')
  assert.equal((await door.get(`/v1/jobs/${id}`, ann)).status, 200)
  assert.deepEqual((await read(await door.get('/v1/jobs', bob))).data, [])
  for (const path of ['', '/attempts', '/logs', '/artifacts', '/events'])
    await assertProblem(await door.get(`/v1/jobs/${id}${path}`, bob), 404, 'JOB_NOT_FOUND')
  for (const verb of ['cancel', 'retry'])
    await assertProblem(await door.post(`/v1/jobs/${id}/${verb}`, {}, bob), 404, 'JOB_NOT_FOUND')
})
