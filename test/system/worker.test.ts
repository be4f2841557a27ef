import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { until } from '../support/command.ts'
import { childOf, workplace } from '../support/place.ts'

test('a job whose executor is killed runs again, without an attempt lost', async () => {
  await using place = await workplace()
  await place.here.start('worker').said('worker started')
  const { id } = await place.errand.enqueue('nap', { ms: 400 })
  const pid = await place.runner(id)
  process.kill(pid, 'SIGKILL')
  const view = await place.errand.ended(id, 20_000)
  assert.equal(view.state, 'completed')
  assert.equal(view.attempt, 1)
  assert.notEqual(view.result, pid)
  assert.deepEqual(
    (await place.errand.attempts(id)).map(({ outcome }) => outcome),
    ['crashed'],
  )
})

test('jobs of a killed worker are taken over by another one', async () => {
  await using place = await workplace()
  const first = place.here.start('worker')
  await first.said('worker started')
  const { id } = await place.errand.enqueue('nap', { ms: 30_000 })
  await place.runner(id)
  await place.here.start('worker').said('worker started')
  first.signal('SIGKILL')
  const view = await until(async () => {
    const [attempt] = await place.errand.attempts(id)
    return attempt
  }, 'nobody took it over')
  assert.equal(view.outcome, 'lost')
  assert.deepEqual(await place.errand.verify(), [])
  await place.errand.cancel(id)
})

test('a worker told to stop finishes what runs and hands back the rest', async () => {
  await using place = await workplace()
  const worker = place.here.start('worker', '--concurrency', '2')
  await worker.said('worker started')
  const short = await place.errand.enqueue('nap', { ms: 300 })
  const long = await place.errand.enqueue('nap', { ms: 60_000 })
  await place.runner(short.id)
  await place.runner(long.id)
  worker.signal('SIGTERM')
  assert.equal(await worker.exit(), 0)
  assert.equal((await place.errand.job(short.id)).state, 'completed')
  const rest = await place.errand.job(long.id)
  assert.equal(rest.state, 'ready')
  assert.equal(rest.attempt, 1)
  const [run] = await place.errand.attempts(long.id)
  assert.equal(run?.outcome, 'released')
  assert.deepEqual(await place.errand.verify(), [])
})

test('a job nobody knows is kept, and done once somebody does', async () => {
  await using place = await workplace()
  const id = newId()
  const job = {
    id,
    job: 'echo',
    queue: 'default',
    tenant: '',
    priority: 5,
    policy: Buffer.from('{}'),
  }
  await place.errand.store.insert([{ ...job, job: 'unheard.of', input: Buffer.from('{}') }])
  await place.here.start('worker').said('worker started')
  const parked = await until(async () => {
    const view = await place.errand.job(id)
    return view.state === 'waiting' ? view : undefined
  }, 'it was not set aside')
  assert.equal(parked.waitingFor, 'handler')
  const { id: known } = await place.errand.enqueue('echo', { text: 'still served' })
  assert.equal((await place.errand.ended(known, 20_000)).state, 'completed')
})

test('a killed worker is replaced by the manager, and its jobs run again', async () => {
  await using place = await workplace()
  const manager = place.here.start('start', '--port', '0')
  await manager.said('worker started')
  const { id } = await place.errand.enqueue('nap', { ms: 300 })
  await place.runner(id)
  process.kill(await childOf(manager, 'errand worker'), 'SIGKILL')
  await manager.said('worker started', 1)
  assert.equal((await place.errand.ended(id, 20_000)).state, 'completed')
  assert.deepEqual(await place.errand.verify(), [])
})

test('at the level debug the log tells the life of every job, and nothing that it carries', async () => {
  await using place = await workplace()
  const manager = place.here.start('start', '--log-level', 'debug', '--port', '0')
  const { url } = await manager.said('serving')
  await manager.said('worker started')
  const answer = await fetch(`${String(url)}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ job: 'echo', input: { text: 'a secret of mine' } }),
  })
  assert.equal(answer.status, 202)
  const settled = await manager.said('settled')
  assert.deepEqual([settled.job, settled.attempt, settled.to], ['echo', 1, 'completed'])
  const life = manager.lines.filter(({ id }) => id === settled.id).map(({ msg }) => msg)
  // Two processes tell it, so that the server may be heard after the worker.
  assert.deepEqual(new Set(life), new Set(['enqueued', 'started', 'settled']))
  assert.equal(JSON.stringify(manager.lines).includes('a secret'), false)
})

test('a job that failed for good is told at the usual level, with its reason and no word of its error', async () => {
  await using place = await workplace()
  const worker = place.here.start('worker')
  await worker.said('worker started')
  const { id } = await place.errand.enqueue('report', { file: import.meta.filename, how: 'fail' })
  const line = await worker.said('failed')
  assert.deepEqual([line.id, line.job, line.reason], [id, 'report', 'error'])
  assert.deepEqual(
    worker.lines.filter(
      (said) => said.msg === 'started' || JSON.stringify(said).includes('assert'),
    ),
    [],
  )
})
