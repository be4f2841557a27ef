// oxlint-disable-next-line no-unassigned-import -- it must be read before the system's settings are
import './quick.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from 'errand'
import { rehearse } from 'errand/testing'
import { Callbacks } from '../../../systems/guidelines/callbacks.ts'
import {
  guidelineCallback,
  guidelineChecklistCalledBack,
} from '../../../systems/guidelines/contract.ts'
import { until } from '../../support/command.ts'
import { onEachStore } from '../stage.ts'
import { openReceiver } from './receiver.ts'
import { Event, failing, openLlm, TEXT } from './setup.ts'

const loopback = async () => ['127.0.0.1']
/** Lets the receiver of a test be called, who lives in this house. */
const callbacksTo = ({ ca }: { ca: string }) =>
  new Callbacks({ names: loopback, mayCall: () => true, ca })

const message = { event_id: 'an id', status: 'COMPLETED' } as const
const call = () => ({ key: 'a key', signal: AbortSignal.timeout(5000) })

onEachStore((open) => {
  test('each end is told once, how it ended and nothing of what it is about', async () => {
    await using llm = await openLlm()
    await using receiver = await openReceiver()
    await using system = await open(() => llm.app({ callbacks: callbacksTo(receiver) }))
    await llm.script(failing(400, { times: 1 }))
    const submission = { guidelines: TEXT, callback_url: receiver.url, metadata: { ward: 3 } }
    const { event_id: id } = Event.parse(await (await system.post('/jobs', submission)).json())
    const worker = await system.work()
    await until(() => receiver.told[0], 'the failure was not told')
    await system.post(`/jobs/${id}/retry`, { guidelines: `${TEXT} Corrected.` })
    await until(() => receiver.told[1], 'the success was not told')
    await until(async () => {
      const { jobs } = await system.errand.list({ job: guidelineCallback.name }, 10)
      return jobs.every(({ state }) => state === 'completed') || undefined
    }, 'the hooks did not end')
    await worker.stop()
    assert.deepEqual(
      receiver.told.map(({ body }) => body),
      [
        { event_id: id, status: 'FAILED' },
        { event_id: id, status: 'COMPLETED' },
      ],
    )
    const keys = new Set(receiver.told.map(({ key }) => key))
    assert.equal(keys.size, 2)
    assert.ok([...keys].every((key) => key.length > 20))
    assert.deepEqual(await system.errand.verify(), [])
  })

  test('an event is erased, or discarded, though nobody listens to its callback', async () => {
    await using llm = await openLlm()
    await using receiver = await openReceiver()
    receiver.answers.push(...Array.from({ length: 20 }, () => 500))
    await using system = await open(() => llm.app({ callbacks: callbacksTo(receiver) }))
    const submission = { guidelines: TEXT, callback_url: receiver.url }
    const submit = async () =>
      Event.parse(await (await system.post('/jobs', submission)).json()).event_id
    const remove = (id: string) => system.ask(`/jobs/${id}`, { method: 'DELETE' })
    assert.equal((await remove(await submit())).status, 204, 'before it began')
    const worker = await system.work()
    const complete = await submit()
    await until(() => receiver.told.find(({ body }) => isOf(body, complete)), 'nobody was called')
    assert.equal((await system.post(`/jobs/${complete}/discard`, {})).status, 409)
    const callbacks = await system.errand.list({ job: guidelineCallback.name }, 10)
    assert.equal(callbacks.jobs.filter(({ subject }) => subject === complete).length, 1)
    assert.equal((await remove(complete)).status, 204)
    assert.equal((await system.ask(`/jobs/${complete}`)).status, 404)
    await llm.script(failing(400, { times: 1 }))
    const dead = await submit()
    await until(() => receiver.told.find(({ body }) => isOf(body, dead)), 'nobody was called')
    assert.equal((await system.post(`/jobs/${dead}/discard`, {})).status, 204)
    await worker.stop()
    assert.deepEqual((await system.errand.list({}, 10)).jobs, [])
    assert.deepEqual(await system.errand.verify(), [])
  })
})

const isOf = (body: unknown, id: string) => JSON.stringify(body).includes(id)

test('a receiver that fails is told again under the same key, and the job stays as it ended', async () => {
  await using llm = await openLlm()
  await using receiver = await openReceiver()
  receiver.answers.push(503, 302)
  const app = llm.app({ callbacks: callbacksTo(receiver) })
  await using errand = await rehearse(app, { patience: '5s' })
  const input = { guidelines: TEXT, callbackUrl: receiver.url }
  const { id } = await errand.enqueue(guidelineChecklistCalledBack, input)
  await errand.drain()
  const before = await errand.job(id)
  assert.deepEqual([before.state, receiver.told.length], ['completed', 1])
  await errand.advance('1m')
  assert.equal(new Set(receiver.told.map(({ key }) => key)).size, 1)
  assert.equal(receiver.told.length, 3)
  assert.deepEqual(await errand.job(id), before)
})

test('a receiver that never listens costs eight attempts of the hook, and nothing of the job', async () => {
  await using llm = await openLlm()
  await using receiver = await openReceiver()
  receiver.answers.push(...Array.from({ length: 20 }, () => 500))
  const app = llm.app({ callbacks: callbacksTo(receiver) })
  await using errand = await rehearse(app, { patience: '5s' })
  const input = { guidelines: TEXT, callbackUrl: receiver.url }
  const { id } = await errand.enqueue(guidelineChecklistCalledBack, input)
  await errand.advance('4h')
  const [hook] = (await errand.list({ job: guidelineCallback.name }, 2)).jobs
  assert.deepEqual([hook?.state, receiver.told.length], ['failed', 8])
  assert.equal((await errand.job(id)).state, 'completed')
})

test('nobody is called without TLS, nor at an address of the house, however it is written', async () => {
  const callbacks = new Callbacks({ names: loopback })
  for (const url of [
    'http://hooks.example/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/',
    'https://localhost/',
    'https://inside.example/',
  ])
    await assert.rejects(callbacks.send(url, message, call()), FatalError, url)
})

test('a name that changes its mind between two looks reaches nobody in the house', async () => {
  await using receiver = await openReceiver()
  const minds = [['93.184.215.14'], ['127.0.0.1']]
  const names = async () => minds.pop() ?? ['127.0.0.1']
  const callbacks = new Callbacks({ names, ca: receiver.ca })
  await assert.rejects(callbacks.send(receiver.url, message, call()), FatalError)
  const half = new Callbacks({ names: async () => ['93.184.215.14', '10.0.0.1'], ca: receiver.ca })
  await assert.rejects(half.send(receiver.url, message, call()), FatalError)
  assert.deepEqual(receiver.told, [])
})

test('a certificate that nobody vouches for is no receiver', async () => {
  await using receiver = await openReceiver()
  const callbacks = new Callbacks({ names: loopback, mayCall: () => true })
  await assert.rejects(callbacks.send(receiver.url, message, call()), /certificate/)
  assert.deepEqual(receiver.told, [])
})
