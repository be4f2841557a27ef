// oxlint-disable-next-line no-unassigned-import -- it must be read before the system's settings are
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineApp, defineJob, handler } from 'errand'
import { z } from 'zod'
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
})
