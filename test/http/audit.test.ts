import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { openDoor, read } from './door.ts'

const Page = z.object({
  data: z.array(z.object({ act: z.string(), jobs: z.array(z.string()) }).loose()),
  nextCursor: z.string().optional(),
})

test('who did what over HTTP is known by person and note, to their tenant alone', async () => {
  let caller: { tenant?: string; person?: string } = { tenant: 'acme', person: 'Ada' }
  await using door = await openDoor({ authenticate: () => caller })
  const audit = async (query = '') =>
    Page.parse(await (await door.get(`/v1/audit${query}`)).json()).data
  const id = await door.submit()
  await door.post(`/v1/jobs/${id}/signals/go`, { value: 1 })
  await door.post(`/v1/jobs/${id}/cancel`, { note: 'not needed' })
  await door.post(`/v1/jobs/${id}/retry`, {})
  await door.post('/v1/jobs/cancel', { filter: { queue: 'default' }, note: 'all of them' })
  await door.remove(`/v1/jobs/${id}?note=on+request`)
  const who = { person: 'Ada', tenant: 'acme', from: 'http', jobs: [id] }
  assert.deepEqual(
    (await audit()).map(({ n: _, at: __, ...entry }) => entry),
    [
      { act: 'erase', ...who, note: 'on request' },
      { act: 'cancel', ...who, note: 'all of them' },
      { act: 'retry', ...who },
      { act: 'cancel', ...who, note: 'not needed' },
      { act: 'signal', ...who, signal: 'go' },
    ],
  )
  assert.deepEqual(
    (await audit(`?act=cancel&job=${id}&person=Ada`)).map(({ note }) => note),
    ['all of them', 'not needed'],
  )
  caller = { tenant: 'other' }
  assert.deepEqual(await audit(), [])
  caller = {}
  assert.equal((await audit('?limit=2')).length, 2)
})

test('who saw to a batch or a schedule over HTTP is known, and why', async () => {
  await using door = await openDoor({ authenticate: () => ({ person: 'Ada' }) })
  const job = 'person.greet'
  const made = await door.post('/v1/batches', { job, items: [{ name: 'Bob' }] })
  const { id } = z.object({ id: z.string() }).parse(await read(made))
  await door.post(`/v1/batches/${id}/cancel`, { note: 'wrong list' })
  await door.post(`/v1/batches/${id}/retry`, { cancelled: true, note: 'right after all' })
  await door.post('/v1/schedules', { name: 'daily', job, input: { name: 'Bob' }, every: '1d' })
  await door.post('/v1/schedules/daily/pause', { note: 'holidays' })
  await door.post('/v1/schedules/daily/resume', {})
  await door.post('/v1/schedules/daily/run', { note: 'missed one' })
  await door.remove('/v1/schedules/daily?note=over')
  const { data } = Page.parse(await (await door.get('/v1/audit')).json())
  assert.deepEqual(
    data.map(({ act, person, batch, schedule, note }) => [act, person, batch ?? schedule, note]),
    [
      ['remove', 'Ada', 'daily', 'over'],
      ['run', 'Ada', 'daily', 'missed one'],
      ['resume', 'Ada', 'daily', undefined],
      ['pause', 'Ada', 'daily', 'holidays'],
      ['put', 'Ada', 'daily', undefined],
      ['retry', 'Ada', id, 'right after all'],
      ['cancel', 'Ada', id, 'wrong list'],
    ],
  )
})

test('a request that is refused is not in the log', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.hand.claimOne()
  assert.equal((await door.remove(`/v1/jobs/${id}`)).status, 409)
  assert.equal((await door.post(`/v1/jobs/${id}/retry`, {})).status, 409)
  assert.deepEqual(Page.parse(await (await door.get('/v1/audit')).json()).data, [])
})
