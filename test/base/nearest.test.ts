import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../src/base/nearest.ts'

const KNOWN = ['queue', 'priority', 'attempts', 'backoff', 'timeout', 'unique']

test('a misspelt word finds the one that was meant', () => {
  const slips: Record<string, string> = {
    qeue: 'queue',
    Queue: 'queue',
    prioritty: 'priority',
    attempt: 'attempts',
    backOff: 'backoff',
    time_out: 'timeout',
    unqiue: 'unique',
  }
  for (const [word, meant] of Object.entries(slips)) assert.equal(nearest(word, KNOWN), meant)
})

test('a word like no other finds nothing', () => {
  for (const word of ['colour', 'x'.repeat(40), 'zzzz'])
    assert.equal(nearest(word, KNOWN), undefined)
  assert.equal(nearest('queue', []), undefined)
})
