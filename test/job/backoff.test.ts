import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delayAfter, exponential, readBackoff } from '../../src/job/backoff.ts'
import { hasCode } from '../../src/job/errors.ts'
import { POLICY_DEFAULTS } from '../../src/job/policy.ts'

const four = [0, 1, 2, 3]

test('unless asked for otherwise, retries come after exactly 60, 120 and 240 seconds', () => {
  const delays = four.map((failures) => delayAfter(failures, POLICY_DEFAULTS.backoff))
  assert.deepEqual(delays, [60_000, 120_000, 240_000, 480_000])
  assert.deepEqual(exponential('1m'), POLICY_DEFAULTS.backoff)
})

test('a curve stops at its maximum, a day unless said', () => {
  const capped = exponential('1m', { max: '3m' })
  assert.deepEqual(
    four.map((failures) => delayAfter(failures, capped)),
    [60_000, 120_000, 180_000, 180_000],
  )
  assert.equal(delayAfter(99, exponential('1m')), 86_400_000)
})

test('jitter spreads a delay as far as it says, both ways, and no further', () => {
  const spread = exponential('1m', { jitter: 0.25 })
  assert.equal(
    delayAfter(0, spread, () => 0),
    45_000,
  )
  assert.equal(
    delayAfter(0, spread, () => 0.5),
    60_000,
  )
  assert.equal(
    delayAfter(0, spread, () => 1),
    75_000,
  )
  for (let i = 0; i < 1000; i++) {
    const delay = delayAfter(1, spread)
    assert(delay >= 90_000 && delay <= 150_000)
  }
})

test('the last delay of a list repeats', () => {
  const list = readBackoff(['1s', '5s', 1500])
  assert.deepEqual(
    four.map((failures) => delayAfter(failures, list)),
    [1000, 5000, 1500, 1500],
  )
  assert.deepEqual(readBackoff('2m'), [120_000])
  assert.equal(delayAfter(3, readBackoff('2m')), 120_000)
})

test('what is no span is refused', () => {
  const bad = [() => exponential(`${Number.NaN}s`), () => exponential('1m', { max: -1 })]
  for (const read of [...bad, () => readBackoff(['1m', Number.NaN])])
    assert.throws(read, (error) => hasCode(error, 'INVALID_OPTION'))
})

test('a curve refuses options it does not know, and jitter that would turn time around', () => {
  const misspelt: object = { jiter: 0.2 }
  assert.throws(
    () => exponential('1m', misspelt),
    (error) => hasCode(error, 'UNKNOWN_OPTION'),
  )
  for (const jitter of [-0.1, 1.1, Number.NaN])
    assert.throws(
      () => exponential('1m', { jitter }),
      (error) => hasCode(error, 'INVALID_OPTION'),
      `jitter ${jitter}`,
    )
})
