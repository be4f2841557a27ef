import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STALL_MS } from '../../src/worker/crew.ts'
import { Places } from '../../src/worker/places.ts'
import { claimed } from '../support/claimed.ts'

const LIMITS = { softMs: 1000, hardMs: 2000, attemptsMax: 1, now: Date.now() }

/** Places for two, with four jobs. */
function filled() {
  const places = new Places(2)
  const jobs = Array.from({ length: 4 }, () => claimed())
  for (const job of jobs) places.add(job, LIMITS)
  const begun = () => jobs.map(({ id }) => places.get(id)?.begun)
  return { places, jobs, begun }
}

test('as many begin as there are places; the next begins when one ends', () => {
  const { places, jobs, begun } = filled()
  assert.deepEqual(begun(), [true, true, false, false])
  places.remove(jobs[1]?.id ?? '')
  assert.deepEqual(begun(), [true, undefined, true, false])
  places.remove(jobs[3]?.id ?? '')
  assert.deepEqual(begun(), [true, undefined, true, undefined])
  places.remove(jobs[0]?.id ?? '')
  places.remove(jobs[2]?.id ?? '')
  assert.equal(places.size, 0)
  places.add(claimed(), LIMITS)
  assert.equal(places.all()[0]?.begun, true)
})

test('time is counted from when a job began, and only for those that did', () => {
  const { places, jobs } = filled()
  const now = performance.now()
  assert.equal(places.overdue(now + 1000), undefined)
  assert.equal(places.overdue(now + 2001)?.job, jobs[0])
  places.remove(jobs[0]?.id ?? '')
  places.remove(jobs[1]?.id ?? '')
  assert.equal(places.overdue(now + 1999), undefined)
})

test('who waits for too long is told of once a wait', () => {
  const { places } = filled()
  const now = performance.now()
  assert.equal(places.stalled(now), false)
  assert.equal(places.stalled(now + STALL_MS), true)
  assert.equal(places.stalled(now + STALL_MS + 1), false)
  assert(places.next() <= now + 2 * STALL_MS)
})
