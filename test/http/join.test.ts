import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { type App, defineApp, handlersOf } from '../../src/http/app.ts'
import { defineSchedule, plannedBy } from '../../src/http/schedule.ts'
import { defineJob, handler } from '../../src/job/define.ts'
import { hasCode } from '../../src/job/errors.ts'
import { openDoor } from './door.ts'

declare module 'errand' {
  interface Resources {
    ink: string
    press: string
  }
}

const print = defineJob({ name: 'paper.print', input: z.object({}) })
const bind = defineJob({ name: 'book.bind', input: z.object({}) })
const nightly = defineSchedule({ name: 'nightly', job: bind, input: {}, cron: '0 2 * * *' })

const ended: string[] = []
const paper = defineApp({
  mount: '/paper',
  about: 'Prints paper.',
  jobs: [print],
  handlers: async () => ({ run: handler(print, { run: (_, { resources }) => resources.ink }) }),
  start: () => ({ ink: 'blue' }),
  stop: ({ ink }) => void ended.push(`paper ${ink}`),
  routes: (app) => void app.get('/', (c) => c.text('paper')).get('/size', (c) => c.text('A4')),
})
const books = defineApp({
  mount: '/books',
  jobs: [bind],
  handlers: async () => ({ run: handler(bind, { run: (_, { resources }) => resources.press }) }),
  start: () => ({ press: 'old' }),
  stop: ({ press }) => void ended.push(`books ${press}`),
  routes: (app) => void app.get('/size', (c) => c.text('octavo')),
  schedules: [nightly],
  timeZone: 'Australia/Perth',
})

test('apps that live together keep their routes, and are named where the server begins', async () => {
  await using door = await openDoor(defineApp({ jobs: [], apps: [paper, books] }))
  const read = async (path: string) => (await door.get(path)).text()
  assert.deepEqual(
    [await read('/paper'), await read('/paper/size'), await read('/books/size')],
    ['paper', 'A4', 'octavo'],
  )
  assert.equal((await door.get('/size')).status, 404)
  const start = await read('/')
  assert.match(start, /href="\/paper"><b>\/paper<\/b>Prints paper\./)
  assert.match(start, /href="\/books"/)
})

test('handlers of one name in two apps are both there, with what every app started', async () => {
  ended.length = 0
  const all = defineApp({ jobs: [], apps: [paper, books] })
  const names = (await handlersOf(all)).map(({ definition }) => definition.name)
  assert.deepEqual(names, ['paper.print', 'book.bind'])
  const resources = (await all.start?.()) ?? {}
  assert.deepEqual(resources, { ink: 'blue', press: 'old' })
  await all.stop?.(resources)
  assert.deepEqual(ended, ['books old', 'paper blue'])
})

test('a guest’s cron rule goes by the guest’s zone', async () => {
  const planned = await plannedBy(defineApp({ jobs: [], apps: [paper, books] }))
  assert.deepEqual(
    planned?.plans.map(({ terms }) => terms.rule),
    [{ cron: '0 2 * * *', zone: 'Australia/Perth' }],
  )
})

test('an app put together once is not put together again', () => {
  const all = defineApp({ jobs: [], apps: [paper, books] })
  assert.equal(defineApp(all), all)
})

const unfit = {
  'without a mount': [defineApp({ jobs: [] })],
  'of the same mount twice': [paper, defineApp({ mount: '/paper', jobs: [] })],
  'that says who may come in': [defineApp({ mount: '/x', jobs: [], authenticate: () => ({}) })],
}

for (const [what, apps] of Object.entries(unfit))
  test(`guests ${what} are refused`, () => {
    assert.throws(
      () => defineApp({ jobs: [], apps }),
      (error) => hasCode(error, 'INVALID_OPTION') && /apps/.test(error.message),
    )
  })

test('a job that two guests define is refused', () => {
  const other = defineApp({ mount: '/other', jobs: [print] })
  assert.throws(
    () => defineApp({ jobs: [], apps: [paper, other] }),
    (error) => hasCode(error, 'DUPLICATE_NAME'),
  )
})

test('an app may take larger bodies on its own routes, and on no others', async () => {
  const routes: App['routes'] = (app) =>
    void app.post('/', async (c) => c.json((await c.req.text()).length))
  const large = { ...paper, mount: '/large', bodyMax: 2_000_000, jobs: [], routes } as const
  await using door = await openDoor(defineApp({ jobs: [], apps: [large, { ...books, routes }] }))
  const body = JSON.stringify('x'.repeat(1_500_000))
  const statuses = []
  for (const path of ['/large', '/large/', '/books', '/v1/jobs'])
    statuses.push((await door.post(path, body)).status)
  assert.deepEqual(statuses, [200, 200, 413, 413])
  assert.equal((await door.post('/large', JSON.stringify('x'.repeat(2_000_000)))).status, 413)
})
