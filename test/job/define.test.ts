import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineApp } from '../../src/http/app.ts'
import { FatalError, RetryAfter } from '../../src/job/control.ts'
import { defineJob, handler } from '../../src/job/define.ts'
import { type Code, ErrandError, hasCode } from '../../src/job/errors.ts'
import { anything } from '../support/schema.ts'

const input = anything()
const define = (over: object) => defineJob({ name: 'chore', input, ...over })

const REFUSED: [string, object, Code, RegExp?][] = [
  ['no name', { name: '' }, 'INVALID_OPTION', /name/],
  ['a capital', { name: 'Chore' }, 'INVALID_OPTION'],
  ['a digit first', { name: '1chore' }, 'INVALID_OPTION'],
  ['a space', { name: 'a chore' }, 'INVALID_OPTION'],
  ['101 letters', { name: 'a'.repeat(101) }, 'INVALID_OPTION'],
  ['a name that is no text', { name: 1 }, 'INVALID_OPTION'],
  ['a queue with a slash', { queue: 'a/b' }, 'INVALID_OPTION', /queue/],
  ['a priority of 10', { priority: 10 }, 'INVALID_OPTION', /priority/],
  ['a priority nobody knows', { priority: 'urgent' }, 'INVALID_OPTION', /priority/],
  ['a priority of everything', { priority: 'toString' }, 'INVALID_OPTION', /priority/],
  ['half a priority', { priority: 0.5 }, 'INVALID_OPTION'],
  ['no attempt', { attempts: 0 }, 'INVALID_OPTION', /attempts/],
  ['101 attempts', { attempts: 101 }, 'INVALID_OPTION'],
  ['a back-off that is no span', { backoff: 'soon' }, 'INVALID_OPTION', /backoff/],
  ['no time', { timeout: 0 }, 'INVALID_OPTION', /timeout\.soft/],
  [
    'a hard limit before the soft one',
    { timeout: { soft: '2m', hard: '1m' } },
    'INVALID_OPTION',
    /hard/,
  ],
  ['a misspelt limit', { timeout: { sofd: '2m' } }, 'UNKNOWN_OPTION', /did you mean soft/],
  ['an unknown onLost', { onLost: 'ignore' }, 'INVALID_OPTION', /onLost/],
  ['a span to keep that is none', { keep: { record: '1 day' } }, 'INVALID_OPTION', /keep\.record/],
  ['a misspelt keep', { keep: { recrod: '1d' } }, 'UNKNOWN_OPTION', /did you mean record/],
  ['a misspelt option', { atempts: 2 }, 'UNKNOWN_OPTION', /did you mean attempts\?/],
  ['an option like no other', { zzzzzzzzzzzz: 2 }, 'UNKNOWN_OPTION', /zzzzzzzzzzzz$/],
  ['a misspelt unique', { unique: { by: String, untill: 'kept' } }, 'UNKNOWN_OPTION', /until/],
  ['a unique until never', { unique: { by: String, until: 'never' } }, 'INVALID_OPTION', /until/],
]

for (const [what, over, code, message = /./] of REFUSED)
  test(`${what} is refused`, () => {
    assert.throws(
      () => define(over),
      (error) => error instanceof ErrandError && error.code === code && message.test(error.message),
    )
  })

test('a definition holds what was said of it', () => {
  const { policy, queue, priority, unique } = define({
    queue: 'mail.out',
    priority: 'high',
    attempts: 2,
    backoff: ['1s', '2s'],
    timeout: { soft: '1m', retry: false },
    onLost: 'fail',
    keep: { record: '2d', failed: '3d' },
    unique: { by: String },
  })
  assert.deepEqual([queue, priority], ['mail.out', 2])
  assert.deepEqual([policy.attempts, policy.backoff, policy.onLost], [2, [1000, 2000], 'fail'])
  assert.deepEqual([policy.softMs, policy.retryTimeouts], [60_000, false])
  assert.deepEqual([policy.keepCompletedMs, policy.keepFailedMs], [172_800_000, 259_200_000])
  assert.deepEqual([unique?.until, unique?.onConflict], ['end', 'join'])
})

test('a plain time limit is the soft one', () => {
  assert.equal(define({ timeout: '90s' }).policy.softMs, 90_000)
})

test('with run, a job is whole; without, its work is added', () => {
  assert(!('handler' in define({})))
  const whole = defineJob({ name: 'whole', input, run: () => 1, retryIf: () => false })
  assert.equal(whole.handler.definition.name, 'whole')
  assert.equal(whole.handler.retryIf?.(new Error()), false)
  const added = handler(define({}), { run: () => 1 })
  assert.equal(added.definition.name, 'chore')
})

test('a handler refuses what it does not know', () => {
  const misspelt = { run: () => 1, retryWhen: () => true }
  assert.throws(
    () => handler(define({}), misspelt),
    (error) => hasCode(error, 'UNKNOWN_OPTION'),
  )
})

test('an app refuses two jobs of one name, and options it does not know', () => {
  const twice = { jobs: [define({}), define({})] }
  assert.throws(
    () => defineApp(twice),
    (error) => hasCode(error, 'DUPLICATE_NAME'),
  )
  const misspelt = { jobs: [], handler: undefined }
  assert.throws(() => defineApp(misspelt), /did you mean handlers\?/)
})

test('what a handler throws to say when, or never, is known by name', () => {
  assert.equal(new RetryAfter('90s').delayMs, 90_000)
  assert.equal(new FatalError('enough').name, 'FatalError')
  assert.throws(
    () => new RetryAfter(`${Number.NaN}s`),
    (error) => hasCode(error, 'INVALID_OPTION'),
  )
})

test('limits: the hard one follows the soft one, or draws it below itself', () => {
  const limits = (timeout: object | string) => {
    const { softMs, hardMs } = define({ timeout }).policy
    return [softMs, hardMs]
  }
  assert.deepEqual(limits('60s'), [60_000, 65_000])
  assert.deepEqual(limits({ soft: '1s', hard: '3s' }), [1000, 3000])
  assert.deepEqual(limits({ hard: '10s' }), [10_000, 10_000])
  assert.deepEqual(limits({ hard: '10m' }), [300_000, 600_000])
})

test('what must not run twice shares its executor with nobody', () => {
  assert.equal(define({ onLost: 'fail' }).policy.isolate, true)
  assert.equal(define({ isolate: true }).policy.isolate, true)
  assert.equal(define({}).policy.isolate, false)
})
