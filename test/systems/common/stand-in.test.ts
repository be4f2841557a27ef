import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { z } from 'zod'
import { openStandIn, standsIn } from '../../../systems/common/stand-in.ts'

/** A shop that counts what it sold. */
async function openShop() {
  let sold = 0
  const shop = new Hono()
    .post('/sales', (c) => c.json({ sold: ++sold }, 201))
    .get('/sales', (c) => c.json({ sold }))
  const standIn = await openStandIn(shop, 0)
  const ask = (path: string, method = 'GET', body?: unknown) =>
    fetch(`${standIn.url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    ask,
    script: (...mishaps: readonly unknown[]) => ask('/stand-in/script', 'PUT', mishaps),
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  }
}

const statusOf = (answer: Promise<Response>) =>
  answer.then(
    ({ status }) => status,
    () => 'cut',
  )

test('a stand-in fails as often as its script says, and only there', async () => {
  await using shop = await openShop()
  await shop.script({ method: 'POST', path: '/sales', skip: 1, times: 2, status: 503 })
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push(await statusOf(shop.ask('/sales', 'POST')))
  assert.deepEqual(statuses, [201, 503, 503, 201])
  assert.deepEqual(await (await shop.ask('/sales')).json(), { sold: 2 })
})

test('a lost request was never heard; what a lost reply told was done', async () => {
  await using shop = await openShop()
  await shop.script({ path: '/sales', times: 1, lose: 'request' }, { times: 1, lose: 'reply' })
  assert.equal(await statusOf(shop.ask('/sales', 'POST')), 'cut')
  assert.equal(await statusOf(shop.ask('/sales', 'POST')), 'cut')
  assert.deepEqual(await (await shop.ask('/sales')).json(), { sold: 1 })
})

test('a stand-in tells who called, and forgets its script when told', async () => {
  await using shop = await openShop()
  await shop.script({ status: 429, headers: { 'retry-after': '7' } })
  const refused = await shop.ask('/sales', 'POST')
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '7'])
  await shop.ask('/stand-in/script', 'DELETE')
  await shop.ask('/sales', 'POST')
  const Calls = z.array(z.object({ method: z.string(), path: z.string(), status: z.int() }))
  const calls = Calls.parse(await (await shop.ask('/stand-in/calls')).json())
  assert.deepEqual(
    calls.map(({ method, path, status }) => [method, path, status]),
    [
      ['POST', '/sales', 429],
      ['POST', '/sales', 201],
    ],
  )
})

test('who will call a stand-in waits until it listens, and no longer than he is patient', async () => {
  const gone = await openStandIn(new Hono(), 0)
  await gone[Symbol.asyncDispose]()
  let isWaiting = true
  const waiting = standsIn(gone.port, 60_000).then(() => (isWaiting = false))
  await standsIn(gone.port, 0)
  assert.ok(isWaiting)
  await using _back = await openStandIn(new Hono(), gone.port)
  await waiting
})
