import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Context } from '../../src/job/context.ts'
import { Hold } from '../../src/job/control.ts'
import { defineJob, type WholeJob } from '../../src/job/define.ts'
import { exponential } from '../../src/job/backoff.ts'
import { defineLimit } from '../../src/job/rate.ts'
import { rehearse, type RehearseOptions } from '../../src/testing/rehearse.ts'
import { fail } from '../support/stage.ts'

const AT = new Date('2026-11-21T00:00:00Z')
const input = z.unknown()

const job = (name: string, run: (input: unknown, context: Context) => unknown, over: object = {}) =>
  defineJob({ name, input, run, ...over })
const begin = (jobs: WholeJob[], options: RehearseOptions = {}) =>
  rehearse({ jobs }, { at: AT, ...options })

test('what is ready runs at once, and what that leaves behind after it', async () => {
  const last = job('last', () => 'c')
  const child = job('child', (given) => `${String(given)}b`)
  const first = job('first', async (_, { call, enqueue }) => {
    await enqueue('last', last, 1)
    return call('child', child, 'a')
  })
  await using errand = await begin([first, child, last])
  const { id } = await errand.enqueue(first, {})
  const ended = await errand.drain()
  assert.deepEqual(
    ended.map((view) => [view.job, view.state]),
    [
      ['child', 'completed'],
      ['first', 'completed'],
      ['last', 'completed'],
    ],
  )
  assert.equal(await errand.result(first, id), 'ab')
  assert.deepEqual(await errand.verify(), [])
  assert.deepEqual(await errand.drain(), [])
})

test('retries come at the moments of their policy, to the millisecond', async () => {
  const at: number[] = []
  const flaky = job('flaky', () => fail(at.push(errand.clock.now() - AT.getTime())), {
    backoff: exponential('1m', { jitter: 0.5 }),
  })
  await using errand = await begin([flaky])
  const { id } = await errand.enqueue(flaky, {})
  assert.deepEqual(await errand.drain(), [])
  assert.deepEqual(await errand.advance('59999ms'), [])
  assert.deepEqual(at, [0])
  const [ended] = await errand.advance('1h')
  assert.deepEqual(at, [0, 60_000, 180_000, 420_000])
  assert.deepEqual([ended?.id, ended?.state, ended?.reason], [id, 'failed', 'error'])
  assert.equal(ended?.endedAt, '2026-11-21T00:07:00.000Z')
  assert.equal(errand.clock.now(), AT.getTime() + 59_999 + 3_600_000)
})

test('delays, sleeps and waits last as long as they say', async () => {
  const nap = job('nap', async (_, { sleep, waitFor }) => {
    // What a handler takes by the clock on the wall is none of the rehearsal's time.
    for (const from = performance.now(); performance.now() < from + 5;);
    await sleep('a while', '2d')
    return waitFor('go', { schema: z.string(), timeout: '1h' })
  })
  await using errand = await begin([nap])
  const { id } = await errand.enqueue(nap, {}, { delay: '1m' })
  await errand.advance('1m')
  assert.equal((await errand.job(id)).state, 'waiting')
  await errand.advance(2 * 86_400_000 - 1)
  assert.equal((await errand.job(id)).waitingFor?.startsWith('sleep'), true)
  await errand.advance(1)
  assert.equal((await errand.job(id)).waitingFor?.startsWith('signal'), true)
  await errand.signal(id, 'go', 'gone')
  await errand.drain()
  assert.equal(await errand.result(nap, id), 'gone')
  const { id: late } = await errand.enqueue(nap, {})
  const [ended] = await errand.advance('3d')
  assert.deepEqual([ended?.id, ended?.error?.name], [late, 'SignalTimeout'])
})

test('a handler’s limits come when the clock reaches them', async () => {
  const heeds = job(
    'heeds',
    (_, { signal }) =>
      new Promise((_done, drop) => signal.addEventListener('abort', () => drop(signal.reason))),
    { timeout: { retry: false } },
  )
  const ignores = job('ignores', () => new Promise(() => undefined), { attempts: 1 })
  await using errand = await begin([heeds, ignores], { patience: 20 })
  const { id } = await errand.enqueue(heeds, {})
  await assert.rejects(errand.drain(), {
    code: 'STILL_RUNNING',
    details: { id, job: 'heeds', ms: 20 },
  })
  assert.deepEqual(await errand.advance('299999ms'), [])
  const [ended] = await errand.advance('1ms')
  assert.deepEqual([ended?.id, ended?.reason], [id, 'timeout'])

  await errand.enqueue(ignores, {})
  assert.deepEqual(await errand.advance('5m'), [])
  const [stopped] = await errand.advance('5s')
  assert.equal(stopped?.reason, 'timeout')
  assert.match(stopped?.error?.message ?? '', /by force/)
  assert.deepEqual(await errand.verify(), [])
})

test('a running job that is cancelled hears of it', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const long = job(
    'long',
    (_, { id, signal }) =>
      new Promise((_done, drop) => {
        signal.addEventListener('abort', () => drop(signal.reason))
        resolve(id)
      }),
  )
  const deaf = job('deaf', () => new Promise(() => undefined))
  await using errand = await begin([long, deaf], { patience: 20 })
  await errand.enqueue(long, {})
  const draining = errand.drain()
  assert.equal(await errand.cancel(await promise), 'asked')
  const [ended] = await draining
  assert.equal(ended?.state, 'cancelled')

  const { id } = await errand.enqueue(deaf, {})
  await errand.advance(0)
  assert.equal(await errand.cancel(id), 'asked')
  const [stopped] = await errand.advance('1s')
  assert.deepEqual([stopped?.id, stopped?.state], [id, 'cancelled'])
})

test('a job that goes on for ever is noticed, and not lost', async () => {
  const again: WholeJob = job('again', (_, { enqueue }) => enqueue('next', again, {}))
  await using errand = await begin([again], { runsMax: 50 })
  await errand.enqueue(again, {})
  await assert.rejects(errand.drain(), {
    code: 'RUNS_WITHOUT_END',
    details: { max: 50, job: 'again' },
  })
  await assert.rejects(errand.advance('1m'), { code: 'RUNS_WITHOUT_END' })
  const [queue] = await errand.queues()
  assert.deepEqual([queue?.completed, queue?.ready], [100, 1])
  assert.deepEqual(await errand.verify(), [])
})

test('as many runs as there may be are no error', async () => {
  const one = job('one', () => 1)
  await using errand = await begin([one], { runsMax: 2 })
  await errand.enqueueMany(one, [1, 2])
  assert.equal((await errand.drain()).length, 2)
})

test('what is not ready has no result yet, and nobody waits for it', async () => {
  const one = job('one', () => 1)
  await using errand = await begin([one])
  const { id } = await errand.enqueue(one, {})
  await assert.rejects(errand.result(one, id), { code: 'RESULT_NOT_READY' })
})

test('what is kept long enough goes with the time, files too', async () => {
  const leave = job('leave', (_, { artifact }) => artifact('a.txt', 'x', { keep: '2d' }))
  await using errand = await begin([leave], { at: new Date() })
  const { id } = await errand.enqueue(leave, {})
  await errand.drain()
  assert.equal((await errand.watch.artifact(id, 'a.txt')).bytes, 1)
  await errand.advance('2d')
  await errand.advance('1s')
  await assert.rejects(errand.job(id), { code: 'JOB_NOT_FOUND' })
})

test('a job that waits too long for a worker has expired', async () => {
  const one = job('one', () => 1)
  await using errand = await begin([one])
  await errand.enqueue(one, {}, { expiresIn: '1m' })
  errand.clock.advance('2m')
  const [ended] = await errand.drain()
  assert.equal(ended?.reason, 'expired')
})

test('private jobs run with keys of the rehearsal’s own', async () => {
  const secret = job('secret', (given, { step }) => step('learn', () => given), { data: 'sealed' })
  await using errand = await begin([secret])
  const { id } = await errand.enqueue(secret, 'iban')
  await errand.drain()
  assert.equal(await errand.result(secret, id), 'iban')
  const [kept] = await errand.store.find([id])
  assert.equal(Buffer.from(kept?.result ?? []).includes('iban'), false)
})

test('an app is started and stopped around it, unless its resources are given', async () => {
  const said: string[] = []
  const [real, given]: object[] = [{ name: 'real' }, { name: 'given' }]
  const ask = job('ask', (_, { resources }) => Reflect.get(resources, 'name'))
  const app = {
    jobs: [ask],
    start: () => (said.push('start'), real ?? {}),
    stop: () => void said.push('stop'),
  }
  for (const options of [{}, { resources: given ?? {} }]) {
    await using errand = await rehearse(app, options)
    const { id } = await errand.enqueue(ask, {})
    await errand.drain()
    said.push(String(await errand.result(ask, id)))
  }
  assert.deepEqual(said, ['start', 'real', 'stop', 'given'])
})

test('what is misspelt is refused', async () => {
  const one = job('one', () => 1)
  const misspelt: object = { runMax: 1 }
  await assert.rejects(begin([one], misspelt), { code: 'UNKNOWN_OPTION' })
  await assert.rejects(begin([one], { faults: [{ job: 'two', fault: 'timeOut' }] }), {
    code: 'UNKNOWN_JOB',
  })
  await assert.rejects(begin([one], { faults: [{ job: one, run: 0, fault: 'timeOut' }] }), {
    code: 'INVALID_OPTION',
  })
  await using errand = await begin([one])
  await assert.rejects(errand.advance(-1), { code: 'INVALID_OPTION' })
})

const llm = defineLimit('llm', { rate: '2/m' })

test('calls under a limit wait for the clock of the test', async () => {
  const at: number[] = []
  const call = job('call', async (_, { take }) => {
    for (let n = 0; n < 3; n++) {
      await take('llm')
      at.push(errand.clock.now() - AT.getTime())
    }
  })
  await using errand = await rehearse({ jobs: [call], limits: [llm] }, { at: AT, patience: '50ms' })
  await errand.enqueue(call, {})
  await assert.rejects(errand.drain(), { code: 'STILL_RUNNING' })
  assert.deepEqual(at, [0, 0])
  // A call counts a second later than it was let pass.
  const [ended] = await errand.advance('2m')
  assert.deepEqual([at[2], ended?.state], [61_000, 'completed'])
})

test('a job that holds its limit runs again when that opens, uncounted', async () => {
  const at: number[] = []
  const call = job('call', async (_, { take }) => {
    await take('llm')
    if (at.push(errand.clock.now() - AT.getTime()) === 1) throw new Hold('llm', '5m')
  })
  await using errand = await rehearse({ jobs: [call], limits: [llm] }, { at: AT })
  const { id } = await errand.enqueue(call, {})
  assert.deepEqual(await errand.drain(), [])
  assert.equal((await errand.job(id)).waitingFor, 'limit:llm')
  const [ended] = await errand.advance('5m')
  assert.deepEqual([at, ended?.state, ended?.attempt], [[0, 300_000], 'completed', 1])
})
