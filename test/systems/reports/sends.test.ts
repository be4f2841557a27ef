import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ErrandError, hasCode } from 'errand'
import { rehearse } from 'errand/testing'
import { z } from 'zod'
import { reportsApp } from '../../../systems/reports/app.ts'
import { Carrier } from '../../../systems/reports/carrier.ts'
import { send, unsent } from '../../../systems/reports/contract.ts'
import { Messages } from '../../../systems/reports/messages.ts'
import { Sends } from '../../../systems/reports/sends.ts'
import { readSettings } from '../../../systems/reports/settings.ts'
import { newId } from '../../../src/base/id.ts'
import { onEachStore } from '../stage.ts'
import { noon, openCarrier, openSource, seed, Send, setUp } from './setup.ts'

const TO = '+15550142001'
const DEMO = { tenant: 'demo', user: 'ann' }
const FULL = new ErrandError('STORE_FULL', {})
const ALL = { from: '2000-01-01', to: '2100-01-01', origin: 'all' } as const
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
    const states = (await Array.fromAsync(at.messages.read('demo', ALL))).map(
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
    assert.equal(await at.messages.count('demo', ALL), 3, 'it is laid down once')
    const other = await at.post(
      '/reports/sends',
      { template: 'reminder', recipients: [TO] },
      { 'idempotency-key': 'k1', 'x-tenant': 'other' },
    )
    assert.notEqual(Send.parse(await other.json()).id, ids[0])
    assert.equal((await at.ask(`/reports/sends/${ids[0]}`, as('other'))).status, 404)
  })

  test('asked for ten times at once of two servers, a send is laid down and made once', async () => {
    await using at = await setUp(open)
    const other = new Sends(at.errand, new Messages(at.source), readSettings({}))
    const one = new Sends(at.errand, at.messages, readSettings({}))
    const id = { id: newId(), isKeyed: true }
    const who = { tenant: 'demo', user: 'ann' }
    const sending = { template: 'reminder', recipients: many(5) }
    const asked = Array.from({ length: 10 }, (_, i) =>
      (i % 2 ? one : other).accept(who, id, sending),
    )
    const answers = await Promise.all(asked)
    assert.equal(new Set(answers.map((answer) => answer.id)).size, 1)
    assert.equal((await at.errand.list({ job: send.name }, 50)).jobs.length, 5)
    assert.equal(await at.messages.count('demo', ALL), 5)
    const changed = one.accept(who, id, { ...sending, template: 'another' })
    await assert.rejects(changed, (error) => hasCode(error, 'IDEMPOTENCY_KEY_REUSED'))
  })

  test('of a send that could not be accepted, and that nobody can ask for again, nothing is left', async () => {
    await using at = await setUp(open)
    const sends = failing(at, () => Promise.reject(FULL))
    const sending = { template: 'reminder', recipients: [TO] }
    const ask = (isKeyed: boolean) => sends.accept(DEMO, { id: newId(), isKeyed }, sending)
    await assert.rejects(ask(false), FULL)
    assert.equal(await at.messages.count('demo', ALL), 0)
    await assert.rejects(ask(true), FULL)
    assert.equal(await at.messages.count('demo', ALL), 1, 'this one is made up for')
  })

  test('of a send that was cut off, reports tell what went out and what will not', async () => {
    await using carrier = await openCarrier()
    await using at = await setUp(open, { carrierUrl: carrier.url })
    const id = newId()
    const sends = failing(at, async (...given: Parameters<typeof at.errand.enqueueBatch>) => {
      await at.errand.enqueueBatch(...given)
      throw FULL
    })
    const stopped = sends.accept(
      DEMO,
      { id, isKeyed: false },
      { template: 'reminder', recipients: many(3) },
    )
    await assert.rejects(stopped, FULL)
    // One was on its way: it is told before the jobs that note what will not be sent have run.
    await at.messages.settle('demo', { file: await fileOf(at), row: 1 }, 'delivered')
    const worker = await at.work()
    await at.errand.watch.batchEnded(id, 20_000)
    await at.finish(...(await unsentOf(at)))
    await worker.stop()
    assert.equal((await at.errand.batch(id)).outcome, 'cancelled')
    const states = (await Array.fromAsync(at.messages.read('demo', ALL))).map((one) => one.status)
    assert.deepEqual(states, ['failed', 'delivered', 'failed'])
  })

  test('of a send of which a part came in, reports tell that the rest will not go out', async () => {
    await using at = await setUp(open)
    const sends = failing(
      at,
      async (...[job, items, options]: Parameters<typeof at.errand.enqueueBatch>) => {
        const places = await Array.fromAsync<unknown>(items)
        await at.errand.enqueueBatch(job, places.slice(0, 1), options)
        throw FULL
      },
    )
    const sending = { template: 'reminder', recipients: many(3) }
    await assert.rejects(sends.accept(DEMO, { id: newId(), isKeyed: false }, sending), FULL)
    const states = (await Array.fromAsync(at.messages.read('demo', ALL))).map((one) => one.status)
    assert.deepEqual(states, ['accepted', 'failed', 'failed'], 'its own job tells of the first')
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
    const body = 'name,phone number\r\nAnn,+15550142001\r\n"Doe, Bob",+15550142002\r\n'
    const moment = new Date(noon()).toISOString()
    const answer = await at.ask(`/reports/sends?template=reminder&at=${moment}`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body,
    })
    assert.equal(Send.parse(await answer.json()).total, 2)
    const file = await fileOf(at)
    assert(file.startsWith(moment.slice(0, 10)))
    const text = await readFile(join(at.source, 'demo', file), 'utf8')
    assert.deepEqual(text.match(/\+\d+/g), ['+15550142001', '+15550142002'])
  })

  test('a CSV whose quotes do not fit is refused whole, with its line: nobody is left out in silence', async () => {
    await using at = await setUp(open)
    const answer = await at.ask('/reports/sends?template=reminder', {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: 'name,to\nAnn,+15550142001\n"Bob,+15550142002\nCy,+15550142003\n',
    })
    assert.equal(answer.status, 422)
    assert.match(await answer.text(), /line 3 cannot be read/)
    assert.deepEqual((await at.errand.list({}, 9)).jobs, [])
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
    resources: { reports: { messages, carrier: new Carrier(carrier.url), rowsMax: 10 } },
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

test('a message that the carrier never takes is reported as failed once nobody tries any more', async () => {
  await using carrier = await openCarrier()
  using source = openSource()
  const { messages } = source
  await fetch(`${carrier.url}/stand-in/script`, {
    method: 'PUT',
    body: JSON.stringify([{ method: 'POST', path: '/messages', status: 500 }]),
  })
  await using errand = await rehearse(reportsApp({ sampleRows: 0 }), {
    resources: { reports: { messages, carrier: new Carrier(carrier.url), rowsMax: 10 } },
  })
  const [place] = await seed(messages, [TO], 'demo', noon())
  await errand.enqueue(send, place ?? { file: '', row: 0, at: 0 }, { tenant: 'demo' })
  const status = async () => (await Array.fromAsync(messages.read('demo', ALL)))[0]?.status
  await errand.drain()
  assert.equal(await status(), 'accepted')
  await errand.advance('10m')
  assert.equal(await status(), 'failed')
})

type Place = Awaited<ReturnType<typeof setUp>>

/** Where the messages of a send lie. */
async function fileOf({ errand }: Pick<Place, 'errand'>): Promise<string> {
  const [job] = (await errand.store.list({ job: send.name }, 1)).jobs
  const input: unknown = JSON.parse(Buffer.from(job?.input ?? []).toString())
  return z.object({ file: z.string() }).parse(input).file
}

/** The jobs that note what was not sent. */
const unsentOf = async ({ errand }: Pick<Place, 'errand'>) =>
  (await errand.list({ job: unsent.name }, 50)).jobs.map(({ id }) => id)

/** Sends whose way into the store is another. */
const failing = (
  { errand, messages }: Pick<Place, 'errand' | 'messages'>,
  enqueueBatch: Place['errand']['enqueueBatch'],
) => {
  const { batch, cancelBatch } = errand
  return new Sends({ enqueueBatch, batch, cancelBatch }, messages, readSettings({}))
}

const as = (tenant: string) => ({ headers: { 'x-tenant': tenant } })
