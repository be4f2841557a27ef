import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seldom } from '../../src/cli/seldom.ts'
import { ErrandError } from '../../src/job/errors.ts'

test('an outage is told when it begins and every ten seconds, other faults each time', () => {
  let now = 0
  const told: unknown[] = []
  const hear = seldom(
    ({ code, times }) => told.push(times === undefined ? code : [code, times]),
    () => now,
  )
  const away = new ErrandError('STORE_UNREACHABLE', { why: 'ECONNREFUSED' })
  for (; now < 21_000; now += 1000) hear(away)
  hear(new ErrandError('STORE_FULL', {}))
  hear(new TypeError('as planned'))
  hear(new TypeError('as planned'))
  assert.deepEqual(told, [
    'STORE_UNREACHABLE',
    ['STORE_UNREACHABLE', 10],
    ['STORE_UNREACHABLE', 10],
    'STORE_FULL',
    'INTERNAL',
    'INTERNAL',
  ])
})
