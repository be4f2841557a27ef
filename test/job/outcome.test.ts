import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exponential } from '../../src/job/backoff.ts'
import { encodeFailure, readFailure } from '../../src/job/failure.ts'
import type { Claimed } from '../../src/job/job.ts'
import { decide, type Outcome, type Report } from '../../src/job/outcome.ts'
import { encodePolicy, type Policy } from '../../src/job/policy.ts'
import { claimed } from '../support/claimed.ts'
import { bytes, DAY, HOUR } from '../support/jobs.ts'

const NOW = 1_000_000
const broken = (over: object = {}): Report => ({
  how: 'failed',
  reason: 'error',
  error: encodeFailure('Error', 'broken'),
  retry: true,
  ...over,
})

/** What matters of an outcome: where to, after how long or for which reason, and what it counts. */
function gist(outcome: Outcome): (string | number | undefined)[] {
  if (outcome.to === 'scheduled') return ['again', outcome.reason, outcome.delayMs, outcome.raise]
  if (outcome.to === 'failed') return ['failed', outcome.reason, outcome.raise]
  return [outcome.to]
}

type Row = [
  what: string,
  job: Partial<Claimed>,
  policy: Partial<Policy>,
  report: Report,
  gist: (string | number | undefined)[],
]

const asked = { cancelAsked: true }
const late = { deadlineAt: NOW + 60_000 }
const OUTCOMES: Row[] = [
  ['a first failure', {}, {}, broken(), ['again', 'error', 60_000, 'failures']],
  ['a second', { failures: 1 }, {}, broken(), ['again', 'error', 120_000, 'failures']],
  ['a third', { failures: 2 }, {}, broken(), ['again', 'error', 240_000, 'failures']],
  ['the last of four', { failures: 3 }, {}, broken(), ['failed', 'error', 'failures']],
  ['the only attempt', {}, { attempts: 1 }, broken(), ['failed', 'error', 'failures']],
  ['no retry wanted', {}, {}, broken({ retry: false }), ['failed', 'error', 'failures']],
  ['a delay asked for', {}, {}, broken({ delayMs: 5 }), ['again', 'error', 5, 'failures']],
  ['an old delay', { failures: 3 }, {}, broken({ delayMs: 5 }), ['failed', 'error', 'failures']],
  ['its time', {}, {}, broken({ reason: 'timeout' }), ['again', 'timeout', 60_000, 'failures']],
  [
    'its time, retry: false',
    {},
    { retryTimeouts: false },
    broken({ reason: 'timeout' }),
    ['failed', 'timeout', 'failures'],
  ],
  [
    'an error, time-outs not retried',
    {},
    { retryTimeouts: false },
    broken(),
    ['again', 'error', 60_000, 'failures'],
  ],
  [
    'a bad result',
    {},
    {},
    broken({ reason: 'unserializable_result', retry: false }),
    ['failed', 'unserializable_result', 'failures'],
  ],
  ['a first crash', {}, {}, { how: 'crashed', why: 'SIGKILL' }, ['again', 'crashed', 0, 'crashes']],
  [
    'a second crash',
    { crashes: 1 },
    {},
    { how: 'crashed', why: 'SIGKILL' },
    ['again', 'crashed', 1000, 'crashes'],
  ],
  [
    'a third crash',
    { crashes: 2 },
    {},
    { how: 'crashed', why: 'SIGKILL' },
    ['failed', 'crashed', 'crashes'],
  ],
  [
    'a crash is no failure',
    {},
    { attempts: 1 },
    { how: 'crashed', why: 'SIGKILL' },
    ['again', 'crashed', 0, 'crashes'],
  ],
  ['a loss', {}, {}, { how: 'lost' }, ['again', 'lost', 0, 'losses']],
  ['a ninth loss', { losses: 8 }, {}, { how: 'lost' }, ['again', 'lost', 0, 'losses']],
  ['a tenth loss', { losses: 9 }, {}, { how: 'lost' }, ['failed', 'crashed', 'losses']],
  ['onLost: fail', {}, { onLost: 'fail' }, { how: 'lost' }, ['failed', 'lost', 'losses']],
  ['a deadline before the retry', late, {}, broken(), ['failed', 'timeout', 'failures']],
  [
    'a deadline after it',
    late,
    {},
    broken({ delayMs: 59_999 }),
    ['again', 'error', 59_999, 'failures'],
  ],
  [
    'a deadline, crashed',
    { deadlineAt: NOW },
    {},
    { how: 'crashed', why: 'SIGKILL' },
    ['failed', 'timeout', 'crashes'],
  ],
  ['a deadline, lost', { deadlineAt: NOW }, {}, { how: 'lost' }, ['failed', 'timeout', 'losses']],
  ['too late to start', {}, {}, { how: 'expired' }, ['failed', 'expired', undefined]],
  ['cancelled', { failures: 3 }, {}, { how: 'cancelled' }, ['cancelled']],
  ['handed back', { crashes: 2, losses: 9 }, {}, { how: 'released', begun: false }, ['ready']],
  ['asked to end, and handed back', asked, {}, { how: 'released', begun: true }, ['cancelled']],
  ['asked to end, and failed', asked, {}, broken(), ['cancelled']],
  ['asked to end, and lost', asked, {}, { how: 'lost' }, ['cancelled']],
  ['asked to end, and unknown here', asked, {}, { how: 'unknown' }, ['cancelled']],
  [
    'asked to end, after its last attempt',
    { ...asked, failures: 3 },
    {},
    broken(),
    ['failed', 'error', 'failures'],
  ],
  ['a name nobody knows here', { failures: 3 }, {}, { how: 'unknown' }, ['waiting']],
]

for (const [what, job, policy, report, expected] of OUTCOMES)
  test(`${what}: ${expected.filter((word) => word !== undefined).join(' ')}`, () => {
    assert.deepEqual(gist(decide(claimed(policy, job), report, NOW)), expected)
  })

test('a job that has failed for good shows its last error', () => {
  const outcome = decide(claimed({}, { failures: 3 }), broken(), NOW)
  assert(outcome.to === 'failed')
  assert.deepEqual(readFailure(outcome.error), { name: 'Error', message: 'broken' })
})

test('a crash, a loss and a late start say what happened', () => {
  for (const report of [
    { how: 'crashed', why: 'x' },
    { how: 'lost' },
    { how: 'expired' },
  ] as const) {
    const outcome = decide(claimed({ onLost: 'fail' }, { crashes: 2 }), report, NOW)
    assert(outcome.to === 'failed')
    assert.notEqual(readFailure(outcome.error).message, '')
  }
})

test('jitter asked for is drawn from the dice it is given', () => {
  const job = claimed({ backoff: exponential('1m', { jitter: 0.5 }) })
  assert.deepEqual(gist(decide(job, broken(), NOW, () => 0)), [
    'again',
    'error',
    30_000,
    'failures',
  ])
})

test('a completed job carries its result, its warnings and its files', () => {
  const file = { file: 'a.csv', type: 'text/csv', bytes: 1, sha256: '', keepMs: 1 }
  const report = {
    how: 'completed',
    result: bytes('1'),
    withErrors: true,
    artifacts: [file],
  } as const
  const { how: _, ...said } = report
  assert.deepEqual(decide(claimed(), report, NOW), { to: 'completed', ...said, keepMs: DAY })
})

const done = (keepMs: number[] = []): Report => ({
  how: 'completed',
  withErrors: false,
  artifacts: keepMs.map((span, i) => ({
    file: `${i}`,
    type: '',
    bytes: 0,
    sha256: '',
    keepMs: span,
  })),
})
const often = { keepAtLeastMs: DAY, keepCompletedMs: HOUR, keepFailedMs: HOUR }
const KEPT: [string, Partial<Policy>, Report, number][] = [
  ['completed, a day', {}, done(), DAY],
  ['completed, as asked', { keepCompletedMs: HOUR }, done(), HOUR],
  ['completed, as long as its files', { keepCompletedMs: HOUR }, done([DAY, 7 * DAY]), 7 * DAY],
  ['completed, longer than its files', {}, done([HOUR]), DAY],
  ['failed, 30 days', {}, broken({ retry: false }), 30 * DAY],
  ['failed, as asked', { keepFailedMs: HOUR }, broken({ retry: false }), HOUR],
  ['cancelled, as failed ones', { keepFailedMs: HOUR }, { how: 'cancelled' }, HOUR],
  ['idempotent, a day from its insert', often, done(), DAY - 2 * HOUR],
  ['idempotent and failed', often, broken({ retry: false }), DAY - 2 * HOUR],
]

for (const [what, policy, report, keepMs] of KEPT)
  test(`kept ${what}`, () => {
    const outcome = decide(claimed(policy, { createdAt: NOW - 2 * HOUR }), report, NOW)
    assert('keepMs' in outcome)
    assert.equal(outcome.keepMs, keepMs)
  })

test('a policy that says little decides as the defaults do', () => {
  const job = { ...claimed(), policy: encodePolicy({ onLost: 'fail' }) }
  assert.deepEqual(gist(decide(job, broken(), NOW)), ['again', 'error', 60_000, 'failures'])
})
