import assert from 'node:assert/strict'
import { test } from 'node:test'
import { opened } from '../../src/job/rate.ts'
import { HOUR, suspended } from '../support/jobs.ts'
import { openDoor } from './door.ts'

const TAKE = { limit: 'llm', count: 60, windowMs: 60_000, n: 12, lateMs: 50 }

test('limits are shown with their rate, how many passed lately, and until when they are closed', async () => {
  await using door = await openDoor()
  await door.store.take([TAKE])
  await door.store.hold('mail', HOUR)
  const answer = await door.get('/v1/limits')
  const { data }: { data: { closedUntil?: string }[] } = JSON.parse(await answer.text())
  const [llm, mail] = data
  assert.deepEqual(llm, { name: 'llm', rate: '60/m', count: 60, taken: 12 })
  const { closedUntil = '', ...rest } = mail ?? {}
  assert.deepEqual(rest, { name: 'mail', taken: 0 })
  assert(Date.parse(closedUntil) > Date.now())
})

test('a closed limit is opened by hand, and the jobs that were given back run, no others', async () => {
  await using door = await openDoor()
  await door.store.hold('llm', HOUR)
  const ids: string[] = []
  for (const limit of ['llm', 'other', 'llm']) {
    ids.push(await door.submit())
    const job = await door.hand.claimOne()
    const wakeAt = Date.now() + HOUR
    const wait = { for: `limit:${limit}`, wakeAt, one: [opened(limit, job.fence)] }
    await door.hand.settle(job, suspended(wait))
  }
  const answer = await door.post('/v1/limits/llm/open', { note: 'the provider is back' })
  assert.deepEqual(
    [answer.status, JSON.parse(await answer.text())],
    [200, { name: 'llm', woken: 2 }],
  )
  const [line] = (await door.watch.audit({})).entries
  assert.deepEqual([line?.act, line?.limit, line?.note], ['open', 'llm', 'the provider is back'])
  const jobs = await door.store.find(ids)
  assert.deepEqual(
    jobs.map((job) => job?.state),
    ['ready', 'waiting', 'ready'],
  )
  assert.deepEqual(await door.store.take([TAKE]), [0])
  // Given back again it waits again: the letter was for that time alone.
  const job = await door.hand.claimOne()
  const wait = { for: 'limit:llm', wakeAt: Date.now() + HOUR, one: [opened('llm', job.fence)] }
  await door.hand.settle(job, suspended(wait))
  assert.equal((await door.watch.job(job.id)).state, 'waiting')
})

test('a tenant opens no limit that all share', async () => {
  await using door = await openDoor({ authenticate: () => ({ tenant: 'acme' }) })
  await door.store.hold('llm', HOUR)
  const answer = await door.post('/v1/limits/llm/open', {})
  const problem: { code: string } = JSON.parse(await answer.text())
  assert.deepEqual([answer.status, problem.code], [403, 'SHARED'])
})

test('a limit that nobody used cannot be opened', async () => {
  await using door = await openDoor()
  await door.store.take([TAKE])
  const answer = await door.post('/v1/limits/lm/open', {})
  const problem: { code: string; detail: string } = JSON.parse(await answer.text())
  assert.deepEqual([answer.status, problem.code], [404, 'UNKNOWN_LIMIT'])
  assert.match(problem.detail, /did you mean llm\?/)
})
