import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import { decodeJson } from '../../src/base/json.ts'
import { FatalError, RetryAfter } from '../../src/job/control.ts'
import { settled } from '../support/counting.ts'
import { bytes, textOf } from '../support/jobs.ts'
import { anything, guarded } from '../support/schema.ts'
import { fail, gist, type Run, Stage } from '../support/stage.ts'

const stage = new Stage()
after(() => stage[Symbol.dispose]())
const perform: Stage['perform'] = (...call) => stage.perform(...call)

const still = ({ mock }: TestContext) => mock.timers.enable({ apis: ['setTimeout'] })

test('what a handler returns is its result', async () => {
  const report = await perform((input) => ({ got: input }), {}, { input: bytes('[1]') })
  assert(report.how === 'completed' && report.result)
  assert.deepEqual(decodeJson(report.result), { got: [1] })
  assert.deepEqual([report.withErrors, report.artifacts], [false, []])
})

test('who returns nothing leaves no result', async () => {
  assert.deepEqual(await perform(() => undefined), {
    how: 'completed',
    withErrors: false,
    artifacts: [],
  })
})

test('whatever can be waited for is waited for', async () => {
  // oxlint-disable-next-line unicorn/no-thenable -- query builders look like this
  const query = { then: (done: (rows: number) => void) => setImmediate(() => done(3)) }
  for (const output of [undefined, anything<number>()]) {
    const report = await perform(() => query, output && { output })
    assert(report.how === 'completed')
    assert.equal(textOf(report.result), '3')
  }
})

test('the input is parsed where it runs', async () => {
  const input = { '~standard': { version: 1, vendor: 't', validate: () => ({ value: 'parsed' }) } }
  const report = await perform((given) => given, { input })
  assert(report.how === 'completed')
  assert.equal(textOf(report.result), '"parsed"')
})

const ENDS: [string, unknown, unknown[]][] = [
  ['an error is tried again', new Error('broken'), ['error', true, 'broken']],
  ['a thrown text is tried again', 'broken', ['error', true, 'broken']],
  ['a fatal error is not', new FatalError('enough'), ['error', false, 'enough']],
  [
    'a fatal error shows its cause',
    new FatalError('x', { cause: new Error('why') }),
    ['error', false, 'why'],
  ],
  [
    'a delay asked for shows its cause',
    new RetryAfter('9s', { cause: new Error('busy') }),
    ['error', true, 'busy'],
  ],
]

for (const [what, error, expected] of ENDS)
  test(what, async () => assert.deepEqual(gist(await perform(() => fail(error))), expected))

test('whatever is thrown becomes a report', async (t) => {
  still(t)
  assert.equal(gist(await perform(() => fail(Object.create(null))))[0], 'error')
  const mute = new Error()
  Object.defineProperty(mute, 'message', { get: () => fail(new Error('no message for you')) })
  assert.equal(gist(await perform(() => fail(mute)))[0], 'error')
})

test('a delay asked for travels with the report', async () => {
  const report = await perform(() => fail(new RetryAfter('9s')))
  assert(report.how === 'failed')
  assert.equal(report.delayMs, 9000)
})

test('a handler may say which errors are worth another attempt', async () => {
  const run = () => fail(new TypeError('broken'))
  const retryIf = (error: unknown) => !(error instanceof TypeError)
  assert.deepEqual(gist(await perform(run, { retryIf })), ['error', false, 'broken'])
  const confused = { retryIf: () => fail(new Error('confused')) }
  assert.deepEqual(gist(await perform(run, confused)), ['error', true, 'broken'])
})

test('an input that does not fit is never run, nor tried again', async () => {
  let ran = false
  const input = guarded((value): value is string => typeof value === 'string')
  const report = await perform(() => (ran = true), { input }, { input: bytes('1') })
  assert.deepEqual(gist(report).slice(0, 2), ['invalid_input', false])
  const unreadable = await perform(() => (ran = true), {}, { input: Buffer.of(0xff) })
  assert.deepEqual(gist(unreadable).slice(0, 2), ['invalid_input', false])
  assert.equal(ran, false)
})

test('work whose result cannot be kept is not done again', async () => {
  const output = guarded((value): value is number => typeof value === 'number', ['a'])
  const reports = [
    await perform(() => 'no number', { output }),
    await perform(() => ({ sum: 1n })),
    await perform(() => () => 1),
    await perform(() => 'x'.repeat(262_144)),
  ]
  for (const report of reports)
    assert.deepEqual(gist(report).slice(0, 2), ['unserializable_result', false])
  assert.match(String(gist(reports[0] ?? fail('no report'))[2]), /"\/a"/)
})

test('at the soft limit the signal aborts, and the job has run out of time', async (t) => {
  still(t)
  const reasons: unknown[] = []
  const run: Run = (_, { signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason)
        reject(new Error('stopped'))
      }),
    )
  const report = perform(run, { timeout: '2m' })
  await settled()
  t.mock.timers.tick(119_999)
  await settled()
  assert.equal(reasons.length, 0)
  t.mock.timers.tick(1)
  assert.deepEqual(gist(await report), ['timeout', true, 'the time limit was reached'])
  assert(reasons[0] instanceof DOMException)
  assert.equal(reasons[0].name, 'TimeoutError')
})

test('a handler that ignores the soft limit and completes has run out of time all the same', async (t) => {
  still(t)
  const { promise, resolve } = Promise.withResolvers<number>()
  const report = perform(() => promise, { timeout: '2m' })
  await settled()
  t.mock.timers.tick(120_000)
  resolve(42)
  assert.equal(gist(await report)[0], 'timeout')
})

test('a signal asked for late has aborted already', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const run: Run = async (_, context) => {
    await promise
    assert(context.signal.aborted)
    context.signal.throwIfAborted()
  }
  const { performance } = stage.set(run)
  const report = performance.run()
  await settled()
  performance.abort('cancelled')
  resolve()
  assert.deepEqual(await report, { how: 'cancelled' })
})

test('an attempt that was told to stop is given back, unless it had finished', async () => {
  for (const [run, how] of [
    [() => 1, 'completed'],
    [() => fail(new Error('x')), 'released'],
  ] as const) {
    const { performance } = stage.set(async () => (await settled(), run()))
    const report = performance.run()
    await Promise.resolve()
    performance.abort('released')
    assert.equal((await report).how, how)
  }
})
