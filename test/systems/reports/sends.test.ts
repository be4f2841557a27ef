import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { rehearse } from 'errand/testing'
import { z } from 'zod'
import { reportsApp } from '../../../systems/reports/app.ts'
import { Carrier } from '../../../systems/reports/carrier.ts'
import { send } from '../../../systems/reports/contract.ts'
import { onEachStore } from '../stage.ts'
import { noon, openCarrier, openSource, seed, Send, setUp } from './setup.ts'

const TO = '+15550142001'
const many = (count: number) => Array.from({ length: count }, (_, i) => `+1555014${2000 + i}`)

onEachStore((open) => {
  test('one message and many are sent the same way, and counted until all are done', async () => {
    await using carrier = await openCarrier()
    await using at = await setUp(open, { carrierUrl: carrier.url })
    for (const recipients of [[TO], many(200)]) {
      const answer = await at.post('/reports/sends', { template: 'reminder', recipients })
      assert.equal(answer.status, 202)
      const { id, total } = Send.parse(await answer.json())
      assert.equal(total, recipients.length)
      const worker = await at.work()
      await at.errand.watch.batchEnded(id, 20_000)
      await worker.stop()
      const { status, done, failed } = Send.parse(await at.json(`/reports/sends/${id}`))
      // The stand-in refuses numbers that end in 13.
      const refused = recipients.filter((to) => to.endsWith('13')).length
      assert.deepEqual([done, failed], [recipients.length - refused, refused])
      assert.equal(status, refused ? 'partial' : 'completed')
    }
    const window = { from: '2000-01-01', to: '2100-01-01', origin: 'all' } as const
    const states = (await Array.fromAsync(at.messages.read('demo', window))).map(
      ({ origin, status }) => `${origin} ${status}`,
    )
    assert.equal(states.filter((state) => state === 'one-off delivered').length, 1)
    assert.equal(states.filter((state) => state === 'batch failed').length, 2)
    assert.equal(states.filter((state) => state === 'batch delivered').length, 198)
  })

  test('a request repeated under its key is one send, whatever became of its answer', async () => {
    await using at = await setUp(open)
    const ask = async () => {
      const body = { template: 'reminder', recipients: many(3) }
      const answer = await at.post('/reports/sends', body, { 'idempotency-key': 'k1' })
      return Send.parse(await answer.json()).id
    }
    const ids = [await ask(), await ask(), await ask()]
    assert.equal(new Set(ids).size, 1)
    assert.equal((await at.errand.list({ job: send.name }, 20)).jobs.length, 3)
    const all = { from: '2000-01-01', to: '2100-01-01', origin: 'all' } as const
    assert.equal(await at.messages.count('demo', all), 3, 'it is laid down once')
    const other = await at.post(
      '/reports/sends',
      { template: 'reminder', recipients: [TO] },
      { 'idempotency-key': 'k1', 'x-tenant': 'other' },
    )
    assert.notEqual(Send.parse(await other.json()).id, ids[0])
    assert.equal((await at.ask(`/reports/sends/${ids[0]}`, as('other'))).status, 404)
  })

  test('what does not fit is told by its place and never repeated; nothing is stored of it', async () => {
    await using at = await setUp(open)
    const recipients = [TO, '5550142002']
    const answer = await at.post('/reports/sends', { template: 'reminder', recipients })
    assert.equal(answer.status, 422)
    const text = await answer.text()
    assert.match(text, /"pointer":"\/recipients\/1"/)
    assert.doesNotMatch(text, /550142002/)
    assert.deepEqual((await at.errand.list({}, 9)).jobs, [])
    assert.deepEqual(await at.messages.services(''), [])
  })

  test('recipients come as CSV too', async () => {
    await using at = await setUp(open)
    const body = 'name,phone number\r\nAnn,+15550142001\r\n"Bob",+15550142002\r\n'
    const answer = await at.ask('/reports/sends?template=reminder&at=2026-11-02T10:00:00Z', {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body,
    })
    assert.equal(Send.parse(await answer.json()).total, 2)
    const [job] = (await at.errand.store.list({ job: send.name }, 1)).jobs
    const { file } = z
      .object({ file: z.string() })
      .parse(JSON.parse(Buffer.from(job?.input ?? []).toString()))
    assert.match(file, /^2026-11-02\//)
    const text = await readFile(join(at.source, 'demo', file), 'utf8')
    assert.deepEqual(text.match(/\+\d+/g), ['+15550142001', '+15550142002'])
  })

  test('a message is refused that carries more than where its recipient stands', async () => {
    await using at = await setUp(open)
    const input = { file: 'x', row: 0, at: 0, to: TO }
    const answer = await at.post('/v1/jobs', { job: send.name, input })
    assert.equal(answer.status, 422)
    assert.deepEqual((await at.errand.list({}, 9)).jobs, [])
  })
})

test('a reply that the carrier lost leaves one message, sent under one key', async () => {
  await using carrier = await openCarrier()
  using source = openSource()
  const { messages } = source
  await fetch(`${carrier.url}/stand-in/script`, {
    method: 'PUT',
    body: JSON.stringify([{ method: 'POST', path: '/messages', lose: 'reply', times: 1 }]),
  })
  await using errand = await rehearse(reportsApp({ sampleRows: 0 }), {
    resources: { reports: { messages, carrier: new Carrier(carrier.url) } },
  })
  const [place] = await seed(messages, [TO], 'demo', noon())
  const { id } = await errand.enqueue(send, place ?? { file: '', row: 0, at: 0 }, {
    tenant: 'demo',
  })
  await errand.drain()
  assert.equal((await errand.job(id)).state, 'scheduled')
  await errand.advance('10s')
  const { state, attempt } = await errand.job(id)
  assert.deepEqual([state, attempt], ['completed', 2])
  const counted = z.object({ count: z.int() })
  const { count } = counted.parse(await (await fetch(`${carrier.url}/messages/count`)).json())
  assert.equal(count, 1)
})

const as = (tenant: string) => ({ headers: { 'x-tenant': tenant } })
