import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { droppedOf, dropsOf } from '../../src/job/keep.ts'
import { toAdoptees } from '../../src/job/moving.ts'
import { decide } from '../../src/job/outcome.ts'
import { encodePolicy, type Policy } from '../../src/job/policy.ts'
import { adoptee, veteran } from '../support/copies.ts'
import { bytes, DAY, HOUR } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'

const NOW = Date.UTC(2026, 10, 21)
const policy = (own: Partial<Policy>) => ({ policy: encodePolicy(own) })

test('a definition says five lifetimes', () => {
  const keep = { input: '1h', result: '2h', record: '3d', failed: '4d', files: '5d' } as const
  const { policy: read } = defineJob({ name: 'a', input: anything(), keep })
  const { keepInputMs, keepResultMs, keepCompletedMs, keepFailedMs, keepFilesMs } = read
  assert.deepEqual(
    [keepInputMs, keepResultMs, keepCompletedMs, keepFailedMs, keepFilesMs],
    [HOUR, 2 * HOUR, 3 * DAY, 4 * DAY, 5 * DAY],
  )
  assert.throws(
    () => defineJob({ name: 'a', input: anything(), keep: { files: '8d' } }),
    /keep.files/,
  )
})

test('only what goes before the record is dropped', () => {
  assert.equal(dropsOf(policy({}), DAY), undefined)
  assert.equal(dropsOf(policy({ keepInputMs: DAY, keepResultMs: 2 * DAY }), DAY), undefined)
  assert.deepEqual(dropsOf(policy({ keepInputMs: 0, keepResultMs: HOUR }), DAY), {
    input: 0,
    result: HOUR,
  })
})

test('a completed job’s ending says what goes when; a failed one keeps its input', () => {
  const claimed = { ...adoptee(NOW), ...policy({ keepInputMs: HOUR, attempts: 1 }) }
  const done = { how: 'completed', withErrors: false, artifacts: [] } as const
  const { subject: _, ...job } = claimed
  const completed = decide(job, done, NOW)
  assert('drops' in completed)
  assert.deepEqual(completed.drops, { input: HOUR })
  const error = bytes('{}')
  const failed = decide(job, { how: 'failed', reason: 'error', error, retry: false }, NOW)
  assert.equal('drops' in failed, false)
})

test('people are told what was dropped, and not what never was', () => {
  const own = policy({ keepInputMs: HOUR, keepResultMs: HOUR })
  const ended = { ...own, state: 'completed', input: bytes('1'), endedAt: NOW } as const
  assert.deepEqual(droppedOf(ended, NOW), [])
  assert.deepEqual(droppedOf({ ...ended, input: bytes('') }, NOW + HOUR), ['input', 'result'])
  assert.deepEqual(droppedOf({ ...ended, result: bytes('2') }, NOW + HOUR), [])
  assert.deepEqual(droppedOf({ ...ended, ...policy({}) }, NOW + DAY), [])
})

test('a job that is moved has its input and its result dropped at the same moments', () => {
  const own = policy({ keepCompletedMs: DAY, keepInputMs: HOUR, keepResultMs: 2 * HOUR })
  const { drops: __, ...job } = veteran(NOW, own)
  const [moved] = toAdoptees(job, NOW)
  const endedAt = job.endedAt ?? 0
  assert.deepEqual(moved?.drops, { input: endedAt + HOUR, result: endedAt + 2 * HOUR })
})
