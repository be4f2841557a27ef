import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from '../../src/worker/pace.ts'

const paced = (...spans: number[]): Pace => {
  const pace = new Pace()
  for (const ms of spans) pace.ran('job', ms)
  return pace
}
const ten = (ms: number): number[] => Array.from({ length: 10 }, () => ms)

test('nothing is fetched ahead until ten jobs have been seen', () => {
  assert.equal(paced().ahead(10), 0)
  assert.equal(paced(...ten(1).slice(1)).ahead(10), 0)
  assert.notEqual(paced(...ten(1)).ahead(10), 0)
})

test('as many are fetched ahead as begin within 50 ms, and 500 at most', () => {
  assert.equal(paced(...ten(5)).ahead(10), 100)
  assert.equal(paced(...ten(50)).ahead(10), 10)
  assert.equal(paced(...ten(0.01)).ahead(10), 500)
  assert.equal(paced(...ten(5)).ahead(1), 10)
})

test('one slow job stops fetching ahead at once, and is forgotten slowly', () => {
  assert.equal(paced(...ten(1), 60_000).ahead(10), 0)
  const later = Array.from({ length: 300 }, () => 1)
  assert.equal(paced(60_000, ...later.slice(0, 100)).ahead(10), 0)
  assert.notEqual(paced(60_000, ...later).ahead(10), 0)
})

test('only what was seen to be short may wait its turn', () => {
  const pace = new Pace()
  pace.ran('short', 1)
  pace.ran('long', 51)
  assert.deepEqual(
    ['short', 'long', 'unseen'].map((job) => pace.isShort(job)),
    [true, false, false],
  )
})

test('once distrusted, nothing is fetched ahead until ten more have been seen', () => {
  const pace = paced(...ten(1))
  pace.distrust()
  assert.equal(pace.ahead(10), 0)
  for (const ms of ten(1)) pace.ran('job', ms)
  assert.notEqual(pace.ahead(10), 0)
})
