// oxlint-disable-next-line no-unassigned-import -- it must be read before the system's settings are
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { toEvent } from '../../../systems/guidelines/events.ts'
import { until } from '../../support/command.ts'
import { onEachStore, type System } from '../stage.ts'
import { rawOf } from './raw.ts'
import { Event, failing, openLlm, TEXT } from './setup.ts'

const UNKNOWN = '00000000-0000-7000-8000-000000000000'
const Health = z.strictObject({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  database: z.enum(['connected', 'disconnected']),
  redis: z.enum(['connected', 'disconnected']),
  workers: z.strictObject({ active: z.int(), total: z.int() }),
  queue_size: z.int(),
})

const Problem = z.object({ code: z.string(), instance: z.string(), requestId: z.string() })

const Letters = z.object({
  data: z.array(
    z.object({
      event_id: z.uuid(),
      attempts: z.int(),
      first_error: z.object({ message: z.string() }),
      last_error: z.object({ code: z.string(), message: z.string() }),
    }),
  ),
})

const submit = async (system: System, more: object = {}, headers = {}) =>
  system.post('/jobs', { guidelines: TEXT, ...more }, headers)
const idOf = async (answer: Promise<Response>) => Event.parse(await (await answer).json()).event_id
const look = async (system: System, id: string, at = '/jobs') =>
  Event.parse(await system.json(`${at}/${id}`))
const ended = (system: System, id: string) =>
  until(async () => {
    const event = await look(system, id)
    return event.status === 'COMPLETED' || event.status === 'FAILED' ? event : undefined
  }, 'the job did not end')

onEachStore((open) => {
  test('a guideline is taken at once, and its event goes from PENDING to COMPLETED with a result', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const answer = await submit(system, { priority: 'high', metadata: { ward: 3 } })
    assert.equal(answer.status, 200)
    const { event_id: id, status } = Event.parse(await answer.json())
    assert.equal(status, 'PENDING')
    const before = await look(system, id)
    assert.deepEqual(
      [before.status, before.queue_position, before.result],
      ['PENDING', 1, undefined],
    )
    const worker = await system.work()
    const after = await ended(system, id)
    assert.deepEqual([after.status, after.error], ['COMPLETED', undefined])
    assert.match(after.result?.summary ?? '', /wash/)
    assert.deepEqual(await look(system, id, '/guidelines/jobs'), after)
    await worker.stop()
    assert.deepEqual(await system.errand.verify(), [])
  })

  test('a request repeated under its key is one job and one bill; another text under it is refused', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const headers = { 'idempotency-key': 'once' }
    const [first, second] = await Promise.all([1, 2].map(() => idOf(submit(system, {}, headers))))
    assert.equal(first, second)
    const other = await submit(system, { guidelines: `${TEXT} More.` }, headers)
    assert.equal(other.status, 422)
  })

  test('what does not fit is a 400 that names each field in a plain sentence, and leaves no job', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const metadata = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, i]))
    const bad = {
      guidelines: 'short',
      callback_url: 'http://x.example',
      priority: 'now',
      metadata,
      x: 1,
    }
    const answer = await system.post('/jobs', bad)
    const { errors } = z
      .object({ errors: z.array(z.object({ pointer: z.string(), detail: z.string() })) })
      .parse(await answer.json())
    assert.equal(answer.status, 400)
    assert.deepEqual(
      errors.map(({ pointer, detail }) => `${pointer} ${detail}`),
      [
        '/guidelines must be a text of 10 to 10000 characters',
        '/callback_url is not an https URL',
        '/priority must be one of low, normal, high',
        '/metadata has more than 10 keys',
        '/x is not known here',
      ],
    )
    assert.equal((await submit(system, { guidelines: 'x'.repeat(10_001) })).status, 400)
    assert.equal((await system.ask('/jobs/none')).status, 400)
    assert.equal((await system.ask(`/jobs/${UNKNOWN}`)).status, 404)
    assert.deepEqual((await system.errand.list({}, 10)).jobs, [])
  })

  test('one more than may wait is refused with 503, one more of a client with 429, and neither is stored', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const mine = { 'x-tenant': 'acme' }
    for (let i = 0; i < 2; i++) assert.equal((await submit(system, {}, mine)).status, 200)
    assert.equal((await submit(system, {}, mine)).status, 429)
    for (let i = 0; i < 4; i++) assert.equal((await submit(system)).status, 200)
    const answer = await submit(system)
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '30'])
    const { code, instance, requestId } = Problem.parse(await answer.json())
    assert.deepEqual([code, instance], ['SERVICE_OVERLOADED', '/jobs'])
    assert.equal(requestId, answer.headers.get('x-request-id'))
    assert.equal((await system.errand.list({}, 20)).jobs.length, 6)
  })

  test('nothing of a guideline, of its results and of its failures lies in the store in the clear', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script({ ...failing(400, { body: { error: { message: 'Sentinel-err' } } }), skip: 2 })
    const guidelines = 'Sentinel-abc must be washed. Nobody should go.'
    const metadata = { who: 'Sentinel-meta' }
    const good = await idOf(submit(system, { guidelines, metadata }))
    const worker = await system.work()
    await ended(system, good)
    const bad = await idOf(submit(system, { guidelines }))
    assert.match((await ended(system, bad)).error?.message ?? '', /Sentinel-err/)
    await worker.stop()
    const raw = await rawOf(system.url)
    assert.ok(raw.includes('guidelines.checklist'), 'this reads the store')
    for (const sentinel of ['Sentinel', 'washed']) assert.ok(!raw.includes(sentinel), sentinel)
    assert.match((await look(system, good)).result?.summary ?? '', /Sentinel-abc/)
  })

  test('dead letters are listed, retried with a note and a corrected text, or discarded, and it is known by whom', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script(failing(500, { times: 4 }), failing(400, { times: 1 }))
    const worker = await system.work({ concurrency: 1 })
    const first = await idOf(submit(system))
    assert.equal((await ended(system, first)).status, 'FAILED')
    const second = await idOf(submit(system))
    assert.equal((await ended(system, second)).error?.code, 'INVALID')
    const { data } = Letters.parse(await system.json('/review'))
    assert.deepEqual(
      new Map(data.map(({ event_id, attempts }) => [event_id, attempts])),
      new Map([
        [second, 1],
        [first, 4],
      ]),
    )
    const who = { 'x-user': 'Ada' }
    const again = { note: 'it was away', guidelines: 'Corrected text must be read.' }
    assert.equal((await system.post(`/jobs/${first}/retry`, again, who)).status, 202)
    const mended = await ended(system, first)
    assert.deepEqual([mended.event_id, mended.status], [first, 'COMPLETED'])
    assert.match(mended.result?.summary ?? '', /Corrected/)
    assert.equal((await system.post(`/jobs/${first}/retry`, {})).status, 409)
    const audit = JSON.stringify(await system.json(`/jobs/${first}/audit`))
    assert.match(audit, /"act":"retry","person":"Ada","from":"guidelines","note":"it was away"/)
    assert.equal((await system.post(`/jobs/${second}/discard`, { note: 'a test' })).status, 204)
    assert.equal((await system.ask(`/jobs/${second}`)).status, 404)
    assert.deepEqual(Letters.parse(await system.json('/review')).data, [])
    await worker.stop()
  })

  test('all dead letters are tried again in one go', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script(failing(400, { times: 2 }))
    const worker = await system.work()
    const ids = await Promise.all([1, 2].map(() => idOf(submit(system))))
    for (const id of ids) assert.equal((await ended(system, id)).status, 'FAILED')
    assert.deepEqual(await (await system.post('/review/retry', {})).json(), { retried: 2 })
    for (const id of ids) assert.equal((await ended(system, id)).status, 'COMPLETED')
    await worker.stop()
  })

  test('health has exactly its members, and the figures tell success from failure', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await submit(system)
    const idle = Health.parse(await system.json('/health'))
    assert.deepEqual([idle.status, idle.queue_size, idle.workers.total], ['degraded', 1, 0])
    await llm.script(failing(400, { skip: 2 }))
    const worker = await system.work({ renewMs: 50, concurrency: 1 })
    const bad = await idOf(submit(system))
    await ended(system, bad)
    const text = await until(async () => {
      const figures = await (await system.ask('/metrics')).text()
      return /^job_failure_total 1$/m.test(figures) ? figures : undefined
    }, 'the failure is not counted')
    for (const line of [
      /^job_success_total 1$/m,
      /^job_retry_total 0$/m,
      /^queue_size_current 0$/m,
      /^dlq_size 1$/m,
      /^job_processing_seconds_bucket\{le="\+Inf"\} 2$/m,
      /^job_processing_seconds_sum \d/m,
      /^job_processing_seconds_count 2$/m,
      /^errand_jobs_accepted_total\{queue="guidelines"\} 2$/m,
    ])
      assert.match(text, line)
    const health = Health.parse(await system.json('/guidelines/health'))
    assert.deepEqual(health, {
      status: 'healthy',
      database: 'connected',
      redis: 'connected',
      workers: { active: 0, total: 1 },
      queue_size: 0,
    })
    await worker.stop()
  })

  test('of one that runs all that is asked of the store is asked at once', async () => {
    await using llm = await openLlm(60_000)
    await using system = await open(() => llm.app())
    const { errand } = system
    const id = await idOf(submit(system))
    await system.work()
    await until(async () => (await llm.calls()).at(0), 'the LLM was not called')
    const heard: string[] = []
    const hear = async <T>(answer: Promise<T>): Promise<T> => {
      heard.push('asked')
      const value = await answer
      heard.push('answered')
      return value
    }
    const { status } = await toEvent(
      {
        why: (...of) => errand.why(...of),
        attempts: (...of) => hear(errand.attempts(...of)),
        logs: (...of) => hear(errand.logs(...of)),
        steps: (...of) => hear(errand.steps(...of)),
      },
      await errand.job(id),
    )
    assert.deepEqual([status, heard.indexOf('answered')], ['PROCESSING', 3])
    await errand.cancel(id)
  })

  test('only a dead letter is discarded: one that waits stays as it is', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const id = await idOf(submit(system))
    assert.equal((await system.post(`/jobs/${id}/discard`, {})).status, 409)
    assert.equal((await look(system, id)).status, 'PENDING')
  })

  test('a key that is none, and a callback into the house, are refused with the field', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    for (const key of ['a\tb', 'x'.repeat(256), ' '])
      assert.equal((await submit(system, {}, { 'idempotency-key': key })).status, 400)
    for (const host of [
      '127.0.0.1',
      '[::1]',
      '10.0.0.1',
      'localhost',
      '0x7f.1',
      'a:b@example.org',
    ]) {
      const answer = await submit(system, { callback_url: `https://${host}/x` })
      assert.deepEqual(
        [answer.status, (await answer.text()).includes('/callback_url')],
        [400, true],
      )
    }
    assert.equal((await submit(system, { guidelines: `${TEXT} \ud800` })).status, 400)
    assert.deepEqual((await system.errand.list({}, 10)).jobs, [])
  })

  test('a running job can be cancelled, and erased with all it left; others never see it', async () => {
    await using llm = await openLlm(60_000)
    await using system = await open(() => llm.app())
    const id = await idOf(submit(system, {}, { 'x-tenant': 'acme' }))
    const mine = { headers: { 'x-tenant': 'acme' } }
    const worker = await system.work()
    await until(async () => (await llm.calls()).at(0), 'the LLM was not called')
    assert.equal((await system.ask(`/jobs/${id}`)).status, 404)
    assert.equal((await system.ask(`/jobs/${id}`, { method: 'DELETE', ...mine })).status, 204)
    assert.equal((await system.ask(`/jobs/${id}`, mine)).status, 404)
    await worker.stop()
    assert.deepEqual(await system.errand.verify(), [])
  })
})
