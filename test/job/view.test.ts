import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeThrown } from '../../src/job/failure.ts'
import type { Job } from '../../src/job/job.ts'
import { toView } from '../../src/job/view.ts'
import { claimed } from '../support/claimed.ts'
import { bytes } from '../support/jobs.ts'

const { subject: _, ...lying } = claimed()

const plain: Job = {
  ...lying,
  turn: 1,
  state: 'ready',
  priority: 5,
  rev: 3,
  withErrors: false,
  cancelAsked: false,
  tags: [],
  artifacts: [],
}

test('what is absent is left out', () => {
  assert.deepEqual(toView(plain), {
    id: plain.id,
    job: 'chore',
    queue: 'default',
    state: 'ready',
    priority: 5,
    attempt: 1,
    attemptsMax: 4,
    createdAt: '1970-01-01T00:00:00.000Z',
    runAt: '1970-01-01T00:00:00.000Z',
    rev: 3,
  })
})

test('what is there is shown, times in ISO 8601', () => {
  const artifact = { file: 'a.csv', type: 'text/csv', bytes: 2, sha256: 'ab', expiresAt: 5000 }
  const view = toView({
    ...plain,
    state: 'completed',
    tenant: 'acme',
    withErrors: true,
    result: bytes('{"n":1}'),
    progress: bytes('{"done":1}'),
    unique: 'u',
    tags: ['t'],
    artifacts: [{ ...artifact, fence: 9 }],
    startedAt: 1000,
    endedAt: 2000,
  })
  assert.deepEqual([view.tenant, view.withErrors, view.result], ['acme', true, { n: 1 }])
  assert.deepEqual([view.progress, view.unique, view.tags], [{ done: 1 }, 'u', ['t']])
  assert.deepEqual(view.artifacts, [{ ...artifact, expiresAt: '1970-01-01T00:00:05.000Z' }])
  assert.deepEqual([view.startedAt, view.endedAt].map(String), [
    '1970-01-01T00:00:01.000Z',
    '1970-01-01T00:00:02.000Z',
  ])
})

test('an error is shown without its stack', () => {
  const error = encodeThrown(Object.assign(new RangeError('far'), { code: 'E_FAR' }))
  const view = toView({ ...plain, state: 'failed', reason: 'error', error, failures: 4 })
  assert.deepEqual(view.error, { name: 'RangeError', message: 'far', code: 'E_FAR' })
})

test('the attempt counts from one and never exceeds the attempts there are', () => {
  const attemptOf = (over: Partial<Job>) => toView({ ...plain, ...over }).attempt
  assert.equal(attemptOf({ failures: 0, state: 'running' }), 1)
  assert.equal(attemptOf({ failures: 2, state: 'running' }), 3)
  assert.equal(attemptOf({ failures: 4, state: 'failed' }), 4)
  assert.equal(attemptOf({ failures: 1, state: 'failed' }), 1)
  assert.equal(attemptOf({ failures: 0, crashes: 3, state: 'failed' }), 1)
  assert.equal(attemptOf({ failures: 9, state: 'running' }), 4)
})

test('a cancel that was asked for is shown until the job has ended', () => {
  assert.equal(toView({ ...plain, state: 'running', cancelAsked: true }).cancelAsked, true)
  assert.equal(toView({ ...plain, state: 'cancelled', cancelAsked: true }).cancelAsked, undefined)
})

test('bytes that cannot be read hide one member, not the job', () => {
  const view = toView({ ...plain, result: Buffer.of(0xff), progress: bytes('{') })
  assert.deepEqual([view.result, view.progress, view.id], [undefined, undefined, plain.id])
})

test('results that are false, zero or null are results', () => {
  for (const result of [false, 0, null, ''])
    assert.deepEqual(toView({ ...plain, result: bytes(JSON.stringify(result)) }).result, result)
})
