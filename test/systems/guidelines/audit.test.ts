// oxlint-disable-next-line no-unassigned-import -- it must be read before the system's settings are
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { guidelineChecklistCalledBack } from '../../../systems/guidelines/contract.ts'
import { onEachStore, type System } from '../stage.ts'
import { Event, failing, openLlm } from './setup.ts'

const SECRET = 'Sentinel-audit must be washed.'
const ADA = { 'x-user': 'Ada' }
const asAda = { headers: ADA }
const HOOK = 'https://hooks.example/ended'

const Acts = z.object({
  data: z.array(z.object({ act: z.string() })),
  next_cursor: z.string().optional(),
})

const submit = async (system: System, more: object = {}) => {
  const answer = await system.post('/jobs', { guidelines: SECRET, ...more }, ADA)
  return Event.parse(await answer.json()).event_id
}
const acts = async (system: System) =>
  (await system.errand.watch.audit({}, 100)).entries.toReversed().map(({ act }) => act)
const endedIn = async (system: System, id: string) => {
  const { state } = await system.errand.ended(id, 20_000)
  return state
}

onEachStore((open) => {
  test('who submits, reads, retries, discards, cancels and erases is written down once each, with nothing of the text', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script(failing(400, { times: 1 }))
    const id = await submit(system)
    await system.ask(`/jobs/${id}`, asAda)
    await system.ask('/jobs', asAda)
    assert.deepEqual(await acts(system), ['submit'], 'an event without content is no reading')
    const worker = await system.work({ concurrency: 1 })
    assert.equal(await endedIn(system, id), 'failed')
    await system.ask(`/jobs/${id}`, asAda)
    await system.ask('/review', asAda)
    await system.ask('/review', asAda)
    await system.post(`/jobs/${id}/retry`, { guidelines: `${SECRET} Again.` }, ADA)
    assert.equal(await endedIn(system, id), 'completed')
    await system.ask(`/jobs/${id}`, asAda)
    await system.ask(`/jobs/${id}/log`, asAda)
    await system.ask('/jobs', asAda)
    await system.ask('/jobs', asAda)
    await system.ask(`/jobs/${id}`, { method: 'DELETE', ...asAda })
    await worker.stop()
    const [stopped, dead] = [await submit(system), await submit(system)]
    await system.post(`/jobs/${stopped}/cancel`, {}, ADA)
    await llm.script(failing(400, { times: 1 }))
    const again = await system.work()
    assert.equal(await endedIn(system, dead), 'failed')
    await system.post(`/jobs/${dead}/discard`, {}, ADA)
    await again.stop()
    assert.equal(
      (await acts(system)).join(' '),
      'submit read read retry read read read erase submit submit cancel discard',
    )
    const { entries } = await system.errand.watch.audit({}, 100)
    assert.deepEqual([...new Set(entries.map(({ person }) => person))], ['Ada'])
    assert.doesNotMatch(JSON.stringify(entries), /Sentinel|washed/)
    const { entries: count, faults } = await system.errand.watch.checkAudit()
    assert.deepEqual([count, faults], [12, []])
  })

  test('who did what to an event is told page by page, back to its submission', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    const id = await submit(system)
    await system.errand.cancel(id)
    for (let i = 0; i < 4; i++) await system.ask(`/jobs/${id}`, asAda)
    const told: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`
      const page = Acts.parse(await system.json(`/jobs/${id}/audit?limit=2${from}`))
      told.push(...page.data.map(({ act }) => act))
      cursor = page.next_cursor
    }
    assert.deepEqual(told, ['read', 'read', 'read', 'read', 'submit'])
    assert.equal((await system.ask(`/jobs/${id}/audit?limit=many`)).status, 400)
  })

  test('a dead letter with another text keeps whom to call back, and its metadata', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await llm.script(failing(400, { times: 1 }))
    const id = await submit(system, { callback_url: HOOK, metadata: { ward: 3 } })
    const worker = await system.work({ queues: ['guidelines'] })
    assert.equal(await endedIn(system, id), 'failed')
    const guidelines = 'Corrected text must be read.'
    assert.equal((await system.post(`/jobs/${id}/retry`, { guidelines })).status, 202)
    const { summary } = await system.errand.result(guidelineChecklistCalledBack, id)
    assert.match(summary, /Corrected/)
    const input = { guidelines, callbackUrl: HOOK, metadata: { ward: 3 } }
    assert.deepEqual(await system.errand.input(id), input)
    await worker.stop()
  })
})
