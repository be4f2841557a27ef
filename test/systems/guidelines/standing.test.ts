// oxlint-disable-next-line no-unassigned-import -- it must be read before the system's settings are
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineApp, defineJob, handler, open as openErrand } from 'errand'
import { z } from 'zod'
import { Links } from '../../../src/http/links.ts'
import { buildServer } from '../../../src/http/server.ts'
import { guidelineChecklist } from '../../../systems/guidelines/contract.ts'
import { until } from '../../support/command.ts'
import { onEachStore, type System } from '../stage.ts'
import { Event, failing, openLlm, TEXT } from './setup.ts'

const elsewhere = defineJob({ name: 'elsewhere.run', input: z.object({}) })
/** An app that knows nothing of guidelines, whose workers take from all queues. */
const another = defineApp({
  jobs: [elsewhere],
  handlers: async () => ({ elsewhere: handler(elsewhere, { run: () => undefined }) }),
})

const Health = z.object({ status: z.string(), queue_size: z.int() })

const Problem = z.object({ code: z.string(), detail: z.string() })

/** The same store, seen by a server that was given other keys. */
async function openWithOtherKeys({ url, app }: System) {
  const sealKeys = `other:${Buffer.alloc(32, 9).toString('base64')}`
  const errand = await openErrand(url, { jobs: app.jobs, sealKeys })
  const [links, settings] = [new Links(Buffer.from('of this test')), { version: 'test' }]
  const server = await buildServer({ errand, app, links, files: errand.files, settings })
  return {
    ask: (path: string, init?: RequestInit) => server.request(`http://127.0.0.1${path}`, init),
    [Symbol.asyncDispose]: () => errand[Symbol.asyncDispose](),
  }
}

const submit = async (system: System) =>
  Event.parse(await (await system.post('/jobs', { guidelines: TEXT })).json()).event_id
const look = async (system: System, id: string) => Event.parse(await system.json(`/jobs/${id}`))
const standing = (system: System, id: string, state: string) =>
  until(async () => ((await system.errand.job(id)).state === state ? true : undefined), state)

onEachStore((open) => {
  test('a guideline that nobody here can run is PENDING and says what it waits for, and nobody is called healthy', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const stranger = await system.errand.work(another)
    const id = await submit(system)
    await standing(system, id, 'waiting')
    const event = await look(system, id)
    assert.deepEqual([event.status, event.waiting_for], ['PENDING', 'a worker that can run it'])
    assert.equal(event.processing_time_seconds, undefined)
    const health = Health.parse(await system.json('/health'))
    assert.deepEqual([health.status, health.queue_size], ['degraded', 1])
    const worker = await system.work()
    await system.errand.ended(id, 20_000)
    assert.equal((await look(system, id)).status, 'COMPLETED')
    assert.equal(Health.parse(await system.json('/health')).status, 'healthy')
    await worker.stop()
    await stranger.stop()
  })

  test('processing is timed from the first attempt on, through pauses and later attempts, and anew once a person retries', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script(
      failing(429, { times: 1, headers: { 'retry-after': '0.05' } }),
      failing(500, { times: 1 }),
      failing(400, { times: 1 }),
    )
    const worker = await system.work({ concurrency: 1 })
    const id = await submit(system)
    await system.errand.ended(id, 20_000)
    const [, firstCall] = (await llm.calls()).map(({ at }) => Date.parse(at))
    const timed = async () => {
      const { processing_time_seconds: seconds = 0 } = await look(system, id)
      const { endedAt = '' } = await system.errand.job(id)
      return Date.parse(endedAt) - seconds * 1000
    }
    assert.ok((await timed()) < Number(firstCall))
    const { endedAt = '' } = await system.errand.job(id)
    await system.post(`/jobs/${id}/retry`, {})
    await system.errand.result(guidelineChecklist, id)
    assert.ok((await timed()) >= Date.parse(endedAt), 'it is another life')
    await worker.stop()
  })

  test('what is sealed under a key that is not here is said to be, and is no empty result', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script(failing(400, { skip: 2 }))
    const worker = await system.work({ concurrency: 1 })
    const [good, bad] = [await submit(system), await submit(system)]
    for (const id of [good, bad]) await system.errand.ended(id, 20_000)
    await worker.stop()
    await using other = await openWithOtherKeys(system)
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ guidelines: 'Corrected text must be read.' })
    for (const answer of [
      await other.ask(`/jobs/${good}`),
      await other.ask(`/jobs/${bad}/retry`, { method: 'POST', headers, body }),
    ]) {
      const { code, detail } = Problem.parse(await answer.json())
      assert.deepEqual([answer.status, code], [503, 'SEAL_UNKNOWN'])
      assert.match(detail, /sealed under a key that is not here/)
    }
    const { data } = z
      .object({ data: z.array(z.looseObject({ event_id: z.uuid() })) })
      .parse(await (await other.ask('/jobs')).json())
    const listed = data.find(({ event_id }) => event_id === good)
    assert.deepEqual([listed?.['sealed'], listed && 'result' in listed], [true, false])
  })
})
