import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { HTTPException } from 'hono/http-exception'
import { encodeJson } from '../../src/base/json.ts'
import { ErrandError } from '../../src/job/errors.ts'
import { vitalsGauges } from '../../src/job/vitals.ts'
import { greet, openDoor, read } from './door.ts'

const MINE = "default-src 'self'; frame-ancestors 'none'"

test('every answer carries the headers of a careful server and an id of our own', async () => {
  await using door = await openDoor()
  for (const path of ['/', '/v1/queues', '/nowhere', '/metrics']) {
    const { headers } = await door.get(path, { 'x-request-id': 'mine' })
    assert.match(headers.get('x-request-id') ?? '', /^[\da-f-]{36}$/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.match(headers.get('content-security-policy') ?? '', /^default-src '(?:none|self)'/)
  }
})

test('on loopback only the names of this machine are answered', async () => {
  await using door = await openDoor()
  for (const host of ['localhost:7373', '127.0.0.1', '[::1]:80', 'LOCALHOST'])
    assert.equal((await door.get('/health/live', { host })).status, 200)
  for (const host of ['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', '10.0.0.1'])
    assert.equal((await door.get('/health/live', { host })).status, 421)
  await using open = await openDoor({}, { host: '0.0.0.0' })
  assert.equal((await open.get('/health/live', { host: 'errand.example' })).status, 200)
})

test("an app's routes live below its mount, under the same guards, with the desk", async () => {
  await using door = await openDoor({
    mount: '/people',
    routes: (app, { errand }) => {
      app.get('/', (c) => c.html('<p>people</p>'))
      app.post('/:name', async (c) => {
        const { id } = await errand.enqueue(greet, { name: c.req.param('name') })
        return c.json(await errand.job(id), 202)
      })
      app.get('/figures', async (c) => c.json(await errand.metrics()))
    },
  })
  for (const path of ['/people', '/people/']) {
    const page = await door.get(path)
    assert.deepEqual([page.status, page.headers.get('content-security-policy')], [200, MINE])
  }
  const made = await door.server.request('/people/Ada', { method: 'POST' })
  assert.deepEqual([made.status, (await read(made)).job], [202, 'person.greet'])
  assert.equal(await (await door.get('/people/figures')).text(), '[]')
  const broken = await door.post('/people/Ada', '{"half":')
  assert.deepEqual([broken.status, (await read(broken)).code], [400, 'INVALID_JSON'])
  const foreign = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } }
  assert.equal((await door.server.request('/people/Ada', foreign)).status, 403)
  assert.match(await (await door.get('/')).text(), /href="\/people"/)
})

test('an app without a mount may answer at built-in paths, but not below /v1 or at the probes', async () => {
  await using door = await openDoor({
    routes: (app) => {
      for (const path of ['/health', '/v1/jobs', '/health/live'])
        app.get(path, (c) => c.text('mine'))
    },
  })
  assert.equal(await (await door.get('/health')).text(), 'mine')
  assert.notEqual(await (await door.get('/v1/jobs')).text(), 'mine')
  assert.notEqual(await (await door.get('/health/live')).text(), 'mine')
})

test("whatever an app's route throws becomes a problem, and only our failures are reported", async () => {
  const reported: unknown[] = []
  const broken = new TypeError('secret of /home/ada')
  await using door = await openDoor(
    {
      mount: '/app',
      routes: (app) => {
        app.get('/bug', () => {
          throw broken
        })
        app.get('/full', () => {
          throw new ErrandError('STORE_FAILED', { why: 'secret of /home/ada' })
        })
        app.get('/disk', () => {
          throw Object.assign(new Error('secret.db'), { code: 'ENOSPC' })
        })
        app.get('/tea', () => {
          throw new HTTPException(418, { message: 'short and stout' })
        })
        app.get('/away', () => {
          throw new HTTPException(503, { message: 'the bank does not answer' })
        })
        app.get('/broken', () => {
          throw new HTTPException(500, { message: 'secret of /home/ada' })
        })
      },
    },
    { onError: (error, requestId) => reported.push(error, requestId) },
  )
  const bug = await door.get('/app/bug')
  const text = await bug.clone().text()
  const { requestId } = await read(bug)
  assert.deepEqual([bug.status, reported], [500, [broken, requestId]])
  assert.match(text, /"INTERNAL"/)
  assert.doesNotMatch(text, /secret/)

  const full = await door.get('/app/full')
  assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '1'])
  assert.doesNotMatch(await full.text(), /secret/)

  const disk = await door.get('/app/disk')
  assert.equal(disk.status, 503)
  assert.match(await disk.text(), /"STORE_FULL"/)

  const tea = await read(await door.get('/app/tea'))
  assert.deepEqual([tea.status, tea.type, tea.detail], [418, 'about:blank', 'short and stout'])
  assert.equal((await read(await door.get('/app/away'))).detail, 'the bank does not answer')
  assert.doesNotMatch(await (await door.get('/app/broken')).text(), /secret/)
})

test('the document describes what is served, in OpenAPI 3.1', async () => {
  await using door = await openDoor()
  const { openapi, paths } = await read(await door.get('/openapi.json'))
  assert.equal(openapi, '3.1.0')
  assert.deepEqual(Object.keys(Object(paths)).toSorted(), [
    '/health',
    '/health/live',
    '/health/ready',
    '/metrics',
    '/v1/audit',
    '/v1/batches',
    '/v1/batches/{id}',
    '/v1/batches/{id}/cancel',
    '/v1/batches/{id}/errors.csv',
    '/v1/batches/{id}/items',
    '/v1/batches/{id}/retry',
    '/v1/definitions',
    '/v1/jobs',
    '/v1/jobs/cancel',
    '/v1/jobs/discard',
    '/v1/jobs/retry',
    '/v1/jobs/{id}',
    '/v1/jobs/{id}/artifacts',
    '/v1/jobs/{id}/artifacts/{file}',
    '/v1/jobs/{id}/attempts',
    '/v1/jobs/{id}/cancel',
    '/v1/jobs/{id}/events',
    '/v1/jobs/{id}/logs',
    '/v1/jobs/{id}/retry',
    '/v1/jobs/{id}/signals',
    '/v1/jobs/{id}/signals/{name}',
    '/v1/jobs/{id}/steps',
    '/v1/jobs/{id}/why',
    '/v1/limits',
    '/v1/limits/{name}/open',
    '/v1/queues',
    '/v1/queues/{queue}/pause',
    '/v1/queues/{queue}/resume',
    '/v1/schedules',
    '/v1/schedules/{name}',
    '/v1/schedules/{name}/pause',
    '/v1/schedules/{name}/preview',
    '/v1/schedules/{name}/resume',
    '/v1/schedules/{name}/run',
    '/v1/workers',
  ])
})

test('the start page carries just the style that its policy admits', async () => {
  await using door = await openDoor()
  const page = await door.get('/')
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(await page.text()) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  assert(page.headers.get('content-security-policy')?.includes(`'sha256-${hash}'`))
})

test('definitions are told with the JSON Schema of their input', async () => {
  await using door = await openDoor()
  const { data } = await read(await door.get('/v1/definitions'))
  assert(Array.isArray(data))
  const { input, ...definition } = data[0]
  assert.deepEqual(definition, { name: 'person.greet', queue: 'default', priority: 5, attempts: 1 })
  assert.deepEqual(input.required, ['name'])
})

test('queues and workers are listed', async () => {
  await using door = await openDoor()
  await door.submit()
  const { data: queues } = await read(await door.get('/v1/queues'))
  assert(Array.isArray(queues))
  assert.deepEqual([queues[0].queue, queues[0].ready, queues[0].accepted], ['default', 1, 1])
  assert.match(queues[0].oldestReadyAt, /Z$/)
  const { data: workers } = await read(await door.get('/v1/workers'))
  assert(Array.isArray(workers))
  assert.deepEqual([workers[0].id, workers[0].alive], [door.hand.id, true])
})

test('health is degraded while jobs are ready and no worker lives, and down without a store', async () => {
  await using door = await openDoor()
  await door.submit()
  const good = await read(await door.get('/health'))
  assert.deepEqual([good.status, good.workers, good.version], ['ok', { alive: 1 }, '1.2.3'])
  assert.deepEqual(good.store, { kind: 'sqlite', durability: 'FULL' })
  await door.store.retire(door.hand.id)
  const alone = await door.get('/health')
  assert.deepEqual([alone.status, (await read(alone)).status], [200, 'degraded'])

  await door.store[Symbol.asyncDispose]()
  const down = await door.get('/health')
  assert.deepEqual([down.status, (await read(down)).status], [503, 'down'])
  assert.equal((await door.get('/health/ready')).status, 503)
  assert.equal((await door.get('/health/live')).status, 200)
})

test('metrics are those of the queues, of the server and of every worker, added up', async () => {
  await using door = await openDoor()
  await door.submit()
  const values = [{ labels: { job: 'person.greet' }, value: 3 }]
  const vitals = { overloaded: 2, memoryMb: 1, lateMs: 250, cpu: 0.5 }
  const metric = {
    name: 'errand_attempts_total',
    help: 'x',
    type: 'counter',
    aggregator: 'sum',
    values,
  }
  await door.hand.renew(encodeJson([metric, ...vitalsGauges(door.hand.id, vitals)]))
  const answer = await door.get('/metrics')
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  for (const line of [
    'errand_jobs_accepted_total{queue="default"} 1',
    'errand_jobs{queue="default",state="ready"} 1',
    'errand_workers 1',
    `errand_worker_executors_overloaded{worker="${door.hand.id}"} 2`,
    `errand_worker_memory_bytes{worker="${door.hand.id}"} 1048576`,
    `errand_worker_loop_late_seconds{worker="${door.hand.id}"} 0.25`,
    'errand_attempts_total{job="person.greet"} 3',
    'errand_http_request_seconds_bucket{le="30",route="/v1/jobs",method="POST",status="202"} 1',
    'errand_http_request_seconds_bucket{le="10",route="/v1/jobs",method="POST",status="202"} 1',
  ])
    assert(text.includes(`${line}\n`), `${line} is not in\n${text}`)
  assert.match(text, /^errand_oldest_ready_seconds\{queue="default"\} [\d.e-]+$/m)
  assert.match(text, /^errand_build_info\{version="1\.2\.3",node="v26/m)
})

test('the listener hears of each answer, with its route and never an id', async () => {
  const heard: unknown[] = []
  await using door = await openDoor(
    {},
    { onRequest: ({ method, route, status }) => heard.push([method, route, status]) },
  )
  await door.get('/v1/jobs/some-id')
  await door.get('/nowhere')
  assert.deepEqual(heard, [
    ['GET', '/v1/jobs/:id', 404],
    ['GET', 'none', 404],
  ])
})
