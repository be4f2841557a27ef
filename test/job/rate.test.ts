import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineApp } from '../../src/http/app.ts'
import { defineLimit, formatRate, lateOf, limitNamed, type Rate } from '../../src/job/rate.ts'

test('a rate says how many calls in which span, and is shown as it was written', () => {
  const rates: [Rate, number, number][] = [
    ['60/m', 60, 60_000],
    ['10/s', 10, 1000],
    ['1/h', 1, 3_600_000],
    ['10000/d', 10_000, 86_400_000],
    ['20/6s', 20, 6000],
    ['20/500ms', 20, 500],
    ['7/100s', 7, 100_000],
  ]
  for (const [rate, count, spanMs] of rates) {
    assert.deepEqual(defineLimit('llm', { rate }), { name: 'llm', count, spanMs })
    assert.equal(formatRate(count, spanMs), rate)
  }
})

test('what is no rate, or more than is remembered, is refused', () => {
  const wrongs: Rate[] = ['0/m', '10001/s', '5/0s', '1/1ms', '1/400d', '1.5/m']
  for (const rate of wrongs)
    assert.throws(() => defineLimit('llm', { rate }), { code: 'INVALID_OPTION' }, rate)
  assert.throws(() => defineLimit('an llm', { rate: '1/s' }), { code: 'INVALID_OPTION' })
  const unknown = { rate: '1/s', brust: 1 } as const
  assert.throws(() => defineLimit('llm', unknown), { code: 'UNKNOWN_OPTION' })
})

test('a call counts a twentieth of its span later, at least 100 ms and at most a second', () => {
  const late = ['20/500ms', '10/s', '60/6s', '60/m', '1/d'] as const
  assert.deepEqual(
    late.map((rate) => lateOf(defineLimit('llm', { rate }))),
    [100, 100, 300, 1000, 1000],
  )
})

test('a limit that is not there is refused with the nearest that is, and one named twice', () => {
  const llm = defineLimit('llm', { rate: '1/s' })
  assert.equal(limitNamed([llm], 'llm'), llm)
  assert.throws(() => limitNamed([llm], 'lm'), {
    code: 'UNKNOWN_LIMIT',
    message: 'no limit is named lm; did you mean llm?',
  })
  assert.throws(() => defineApp({ jobs: [], limits: [llm, llm] }), { code: 'INVALID_OPTION' })
})
