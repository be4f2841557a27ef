import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from '../../src/job/outcome.ts'
import { type BatchCopy, type JobCopy, Losses, toAdoptees, wordOf } from '../../src/job/moving.ts'
import { encodePolicy, type Policy } from '../../src/job/policy.ts'
import { adoptee, batchCopy } from '../support/copies.ts'
import { only } from '../support/hand.ts'
import { bytes, chore, DAY, HOUR, SECOND, textOf } from '../support/jobs.ts'

const NOW = Date.UTC(2026, 10, 21)
const HOLDER = '0190b0a0-0000-7000-8000-000000000001'

const running = (policy: Partial<Policy> = {}, over: Partial<JobCopy> = {}): JobCopy => ({
  ...adoptee(NOW - HOUR),
  policy: encodePolicy(policy),
  fence: NOW - SECOND,
  rev: 4,
  worker: HOLDER,
  startedAt: NOW - SECOND,
  ...over,
  state: 'running',
})

test('what a dead worker ran is ready again, a loss later, behind those that wait', () => {
  const job = running({}, { losses: 2 })
  const { state, losses, runAt, fence, rev, attempts } = only(toAdoptees(job, NOW))
  assert.deepEqual([state, losses, runAt, fence, rev], ['ready', 3, NOW, job.fence, 5])
  const { error: _, ...run } = only(attempts)
  assert.deepEqual(run, {
    fence: job.fence,
    worker: HOLDER,
    startedAt: NOW - SECOND,
    endedAt: NOW,
    outcome: 'lost',
  })
})

test('what must not run twice fails as lost, with its hook behind it', () => {
  const hook = { job: 'tell', queue: 'mail', priority: 2, policy: {} }
  const job = running({ onLost: 'fail', onFailure: hook })
  const [ended, follower] = toAdoptees(job, NOW)
  assert.deepEqual([ended?.state, ended?.reason, ended?.endedAt], ['failed', 'lost', NOW])
  assert.equal(ended?.keptUntil, NOW + 30 * DAY)
  assert.deepEqual([follower?.job, follower?.state, follower?.subject], ['tell', 'ready', job.id])
  const [, again] = toAdoptees(job, NOW + DAY)
  assert.deepEqual([again?.id, again?.createdAt], [follower?.id, follower?.createdAt])
})

test('so does one at its last loss, and one past its deadline; one to be cancelled is', () => {
  const ended = (over: Partial<JobCopy>) => only(toAdoptees(running({}, over), NOW))
  const gist = ({ state, reason }: { state: string; reason?: string }) => [state, reason]
  assert.deepEqual(gist(ended({ losses: 9 })), ['failed', 'crashed'])
  assert.deepEqual(gist(ended({ deadlineAt: NOW })), ['failed', 'timeout'])
  const asked = ended({ cancelAsked: true, error: bytes('"an earlier one"') })
  assert.deepEqual(
    [...gist(asked), asked.error, asked.losses],
    ['cancelled', undefined, undefined, 0],
  )
})

test('an ended record stays for as long as its ending decided', () => {
  const own: Partial<Policy> = { keepCompletedMs: HOUR, keepFailedMs: DAY, keepAtLeastMs: 5 * HOUR }
  const { subject: _, ...job } = running(own, { createdAt: NOW - 2 * HOUR, endedAt: NOW })
  const kept = (state: 'completed' | 'failed', over: Partial<JobCopy> = {}) =>
    only(toAdoptees({ ...job, ...over, state }, NOW + DAY)).keptUntil
  const error = bytes('"why"')
  const report = { how: 'failed', reason: 'error', error, retry: false } as const
  const outcome = decide(job, report, NOW)
  assert('keepMs' in outcome)
  assert.equal(kept('failed'), NOW + outcome.keepMs)
  assert.equal(kept('completed'), NOW + 3 * HOUR)
  const file = { file: 'a', fence: 1, type: 't', bytes: 1, sha256: '', expiresAt: NOW + 7 * DAY }
  assert.equal(kept('completed', { artifacts: [file] }), NOW + 7 * DAY)
})

test('what neither ran nor ended is left as it stands', () => {
  for (const state of ['scheduled', 'ready', 'waiting'] as const) {
    const job = { ...running(), state }
    assert.deepEqual(toAdoptees(job, NOW), [job])
  }
})

test('who called a job that is lost for good is told, once; of any other loss it need not know', () => {
  const parent = { id: HOLDER, name: 'a' }
  const lost = running({ onLost: 'fail' }, { parent })
  const word = wordOf(lost, NOW)
  assert.deepEqual([word?.to, word?.name, word?.urgent], [HOLDER, 'call:a', true])
  assert.equal(wordOf(lost, NOW + DAY)?.key, word?.key)
  assert.match(textOf(word?.value) ?? '', /"state":"failed","reason":"lost"/)
  assert.match(
    textOf(wordOf(running({}, { parent, cancelAsked: true }), NOW)?.value) ?? '',
    /cancelled/,
  )
  assert.equal(wordOf(running({}, { parent }), NOW), undefined)
  assert.equal(wordOf(running({ onLost: 'fail' }), NOW), undefined)
  assert.equal(wordOf({ ...lost, state: 'ready' }, NOW), undefined)
})

/** A batch that is left by items of which each was running under this policy. */
function left(over: Partial<BatchCopy>, items: number, policy: Partial<Policy>) {
  const batch = batchCopy(NOW, { items, ...over })
  const losses = new Losses()
  for (let index = 0; index < items; index++) {
    const item = running(policy, { place: { batch: batch.id, index } })
    losses.noted(item, toAdoptees(item, NOW))
  }
  const told = losses.toldTo(batch, NOW)
  const other = batchCopy(NOW)
  assert.deepEqual(losses.toldTo(other, NOW), { batch: other })
  return told
}

test('items that are ready again after a loss change nothing of their batch', () => {
  const { batch, last } = left({ closedAt: NOW }, 2, {})
  assert.deepEqual([batch.failed, batch.endedAt, last], [0, undefined, undefined])
})

test('items that fail as lost are counted, and the last of them ends its batch with the job at its end', () => {
  const end = chore({ id: HOLDER, queue: 'ends', subject: HOLDER })
  const ended = () => left({ closedAt: NOW - HOUR, endings: 1, end }, 2, { onLost: 'fail' })
  const { batch, last } = ended()
  assert.deepEqual([batch.failed, batch.endedAt, batch.endings], [2, NOW, 2])
  assert.deepEqual([last?.id, last?.state], [`${HOLDER.slice(0, -4)}0002`, 'ready'])
  assert.deepEqual([last?.queue, last?.subject], ['ends', HOLDER])
  assert.deepEqual([ended().last?.id, batch.stopped], [last?.id, undefined])
})

test('too many that are lost stop a batch; one that is open stays so', () => {
  const stopped = left({ failedMax: 1, items: 3 }, 2, { onLost: 'fail' }).batch
  assert.deepEqual(
    [stopped.stopped, stopped.closedAt, stopped.endedAt],
    ['failures', NOW, undefined],
  )
  const open = left({ failedMax: 2 }, 2, { onLost: 'fail' }).batch
  assert.deepEqual([open.stopped, open.closedAt, open.endedAt], [undefined, undefined, undefined])
})
