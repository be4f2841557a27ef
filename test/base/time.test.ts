import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatSpan, parseSpan } from '../../src/base/time.ts'

const SPANS: [unknown, number | undefined][] = [
  ['250ms', 250],
  ['90s', 90_000],
  ['4m', 240_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['0s', 0],
  [1500, 1500],
  [0, 0],
  ['', undefined],
  ['s', undefined],
  ['90', undefined],
  ['-1s', undefined],
  ['4 m', undefined],
  ['4M', undefined],
  ['1w', undefined],
  ['1e3s', undefined],
  ['1.s', undefined],
  [' 4m', undefined],
  [-1, undefined],
  [Number.NaN, undefined],
  [Infinity, undefined],
  [null, undefined],
  [undefined, undefined],
  [4n, undefined],
  [{}, undefined],
]

test('a span is read as people write it, and anything else is none', () => {
  for (const [span, ms] of SPANS) assert.equal(parseSpan(span), ms, String(span))
})

const WRITTEN: [number, string][] = [
  [0, '0ms'],
  [12, '12ms'],
  [999, '999ms'],
  [1000, '1s'],
  [90_000, '1.5m'],
  [240_000, '4m'],
  [5_400_000, '1.5h'],
  [604_800_000, '7d'],
]

test('a span is written in its largest fitting unit', () => {
  for (const [ms, span] of WRITTEN) assert.equal(formatSpan(ms), span)
})
