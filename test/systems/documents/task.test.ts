import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delayAfter } from '../../../src/job/backoff.ts'
import type { State } from '../../../src/job/state.ts'
import { documentPdf } from '../../../systems/documents/contract.ts'
import { statusOf } from '../../../systems/documents/tasks/task.ts'

const WORDS: readonly [State, attempt: number, status: string][] = [
  ['ready', 1, 'PENDING'],
  ['scheduled', 1, 'PENDING'],
  ['waiting', 1, 'PENDING'],
  ['running', 1, 'STARTED'],
  ['running', 3, 'STARTED'],
  ['scheduled', 2, 'RETRY'],
  ['ready', 4, 'RETRY'],
  ['completed', 2, 'SUCCESS'],
  ['failed', 4, 'FAILURE'],
  ['cancelled', 1, 'REVOKED'],
]

for (const [state, attempt, status] of WORDS)
  test(`a ${state} job in attempt ${attempt} reads as ${status}`, () => {
    assert.equal(statusOf({ state, attempt }), status)
  })

test('a PDF is tried four times, after 60, 120 and 240 s', () => {
  const { attempts, backoff } = documentPdf.policy
  assert.equal(attempts, 4)
  const delays = [0, 1, 2].map((failures) => delayAfter(failures, backoff) / 1000)
  assert.deepEqual(delays, [60, 120, 240])
})
