import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineApp } from '../../src/http/app.ts'
import { openDoor } from './door.ts'

const FRIEND = 'https://www.example.org'
const ALLOWED = 'access-control-allow-origin'

const guest = defineApp({
  mount: '/widget',
  jobs: [],
  origins: [FRIEND],
  open: ['/widget.js'],
  routes: (app) => {
    app.get('/widget.js', (c) => c.text('show()'))
    app.get('/mine', (c) => c.json({ person: c.get('caller').person }))
    app.post('/ask', (c) => c.json({}, 202))
  },
})
const authenticate = ({ headers }: Request) =>
  headers.get('authorization') === null ? undefined : { person: 'Ada' }
const open = () => openDoor(defineApp({ apps: [guest], jobs: [], authenticate }))
const ada = { authorization: 'Bearer ada' }

test('a page of an origin that an app names asks beforehand without saying who it is, then with credentials', async () => {
  await using door = await open()
  const preflight = await door.server.request('/widget/ask', {
    method: 'OPTIONS',
    headers: { origin: FRIEND, 'access-control-request-method': 'POST' },
  })
  assert.deepEqual([preflight.status, preflight.headers.get(ALLOWED)], [204, FRIEND])
  const from = { origin: FRIEND, 'sec-fetch-site': 'cross-site' }
  const asked = await door.post('/widget/ask', {}, { ...from, ...ada })
  assert.deepEqual([asked.status, asked.headers.get(ALLOWED)], [202, FRIEND])
  assert.equal(asked.headers.get('access-control-allow-credentials'), 'true')
  const nobody = await door.post('/widget/ask', {}, from)
  assert.deepEqual([nobody.status, nobody.headers.get(ALLOWED)], [401, FRIEND])
})

test('a page of another origin is neither answered nor obeyed, and no page asks beyond the app', async () => {
  await using door = await open()
  const other = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', ...ada }
  const asked = await door.post('/widget/ask', {}, other)
  assert.deepEqual([asked.status, asked.headers.get(ALLOWED)], [403, null])
  const from = { origin: FRIEND, 'sec-fetch-site': 'cross-site', ...ada }
  for (const path of ['/v1/jobs', '/widgets/ask', '/']) {
    const beyond = await door.post(path, { job: 'person.greet', input: { name: 'Ada' } }, from)
    assert.deepEqual([beyond.status, beyond.headers.get(ALLOWED)], [403, null], path)
  }
})

test('what an app has for everybody is read by everybody, the rest is not', async () => {
  await using door = await open()
  assert.equal(await (await door.get('/widget/widget.js')).text(), 'show()')
  assert.equal((await door.get('/widget/mine')).status, 401)
  assert.equal((await door.get('/widget/widget.js/more')).status, 401)
  assert.deepEqual(await (await door.get('/widget/mine', ada)).json(), { person: 'Ada' })
})
