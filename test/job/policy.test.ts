import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exponential } from '../../src/job/backoff.ts'
import { defineJob } from '../../src/job/define.ts'
import { CRASHES_MAX, LOSSES_MAX } from '../../src/job/outcome.ts'
import { encodePolicy, POLICY_DEFAULTS, type Policy, readPolicy } from '../../src/job/policy.ts'
import { INPUT_BYTES_MAX } from '../../src/job/prepare.ts'
import { WORKER_DEFAULTS } from '../../src/worker/settings.ts'
import { DAY, SECOND } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'

const MINUTE = 60 * SECOND

const own: Policy = {
  attempts: 7,
  backoff: exponential('2s', { max: '1h', jitter: 0.1 }),
  softMs: 1,
  hardMs: 2,
  retryTimeouts: false,
  onLost: 'fail',
  isolate: true,
  data: 'sealed',
  onSuccess: { job: 'well', queue: 'default', priority: 5, policy: {} },
  onFailure: { job: 'ill', queue: 'q', priority: 2, policy: { attempts: 2 } },
  keepCompletedMs: 3,
  keepFailedMs: 4,
  keepAtLeastMs: 5,
}

test('a policy is read as it was written', () => {
  assert.deepEqual(readPolicy(encodePolicy(own)), own)
  assert.deepEqual(readPolicy(encodePolicy({ ...own, backoff: [1, 2] })), {
    ...own,
    backoff: [1, 2],
  })
})

test('a policy of defaults takes two bytes', () => {
  assert.equal(encodePolicy({}).length, 2)
  assert.equal(encodePolicy(POLICY_DEFAULTS).length, 2)
  assert.deepEqual(readPolicy(encodePolicy({})), POLICY_DEFAULTS)
})

test('only what differs travels, wherever in memory it lies', () => {
  const bytes = encodePolicy({ attempts: 2, onLost: 'retry' })
  const larger = Buffer.concat([Buffer.of(9, 9), bytes, Buffer.of(9)])
  const within = larger.subarray(2, 2 + bytes.length)
  assert.deepEqual(readPolicy(within), { ...POLICY_DEFAULTS, attempts: 2 })
})

test('a thousand policies do not mix', () => {
  for (let attempts = 1; attempts <= 1100; attempts++)
    assert.equal(readPolicy(encodePolicy({ attempts })).attempts, attempts)
})

test('these are the shipped defaults of a job', () => {
  const { policy, queue, priority } = defineJob({ name: 'plain', input: anything() })
  assert.deepEqual([queue, priority], ['default', 5])
  assert.deepEqual(policy, {
    attempts: 4,
    backoff: { baseMs: MINUTE },
    softMs: 5 * MINUTE,
    hardMs: 5 * MINUTE + 5 * SECOND,
    retryTimeouts: true,
    onLost: 'retry',
    isolate: false,
    data: 'inline',
    keepCompletedMs: DAY,
    keepFailedMs: 30 * DAY,
    keepAtLeastMs: 0,
  })
})

test('these are the shipped defaults of a worker, and the fixed limits', () => {
  assert.deepEqual(WORKER_DEFAULTS, {
    queues: [],
    concurrency: 10,
    leaseMs: 15 * SECOND,
    renewMs: 5 * SECOND,
    sweepMs: 2 * SECOND,
    pollMs: SECOND,
    graceMs: 25 * SECOND,
    cancelGraceMs: SECOND,
    auditKeepMs: 90 * 86_400 * SECOND,
  })
  assert.deepEqual([CRASHES_MAX, LOSSES_MAX, INPUT_BYTES_MAX], [3, 10, 262_144])
})
