import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPolicy } from '../../../src/job/policy.ts'
import { guidelineChecklist, llmLimit } from '../../../systems/guidelines/contract.ts'
import { readSettings } from '../../../systems/guidelines/settings.ts'

test('what is shipped is what the team asked for', () => {
  const shipped = readSettings({})
  assert.deepEqual(shipped, {
    LLM_MODEL: 'gpt-4o-mini',
    LLM_RATE: '60/m',
    LLM_TIMEOUT: '120s',
    KEY_GRACE: '2s',
    RETRY_AFTER_MAX: '15m',
    TURN_PATIENCE: '5s',
    BREAKER_FAILURES: 10,
    BREAKER_HOLD: '30s',
    TEXT_MIN: 10,
    TEXT_MAX: 10_000,
    SUBMIT_STATUS: '200',
    QUEUE: 'guidelines',
    QUEUE_MAX: 10_000,
    CLIENT_MAX: 1000,
    ATTEMPTS: 4,
    BACKOFF: '60s',
    SOFT_LIMIT: '240s',
    HARD_LIMIT: '300s',
    DEADLINE: '1d',
    EXPIRES_IN: '1d',
    EXPECTED: '60s',
    KEEP: '30d',
    KEEP_FAILED: '30d',
    STAND_IN_PORT: 7474,
    STAND_IN_DELAY: '1500ms',
    STAND_IN_FILE: '.errand/guidelines-stand-in.ndjson',
  })
  const elsewhere = readSettings({ ERRAND_DATA: '/data' })
  assert.equal(elsewhere.STAND_IN_FILE, '/data/guidelines-stand-in.ndjson')
  const { attempts, softMs, hardMs, retryTimeouts, data } = readPolicy(
    guidelineChecklist.policyBytes,
  )
  assert.deepEqual(
    { attempts, softMs, hardMs, retryTimeouts, data },
    { attempts: 4, softMs: 240_000, hardMs: 300_000, retryTimeouts: false, data: 'sealed' },
  )
  assert.equal(llmLimit.name, 'guidelines-llm')
})

test('a figure of the environment is in force, and one that is none is refused', () => {
  assert.equal(readSettings({ GUIDELINES_QUEUE_MAX: '100' }).QUEUE_MAX, 100)
  assert.throws(() => readSettings({ GUIDELINES_SOFT_LIMIT: 'soon' }))
})

for (const [name, text, said] of [
  ['LLM_TIMEOUT', '-5s', /GUIDELINES_LLM_TIMEOUT .*needs a span such as 120s/],
  ['LLM_TIMEOUT', '0s', /GUIDELINES_LLM_TIMEOUT .*needs a span such as 120s/],
  ['BREAKER_HOLD', '-1s', /GUIDELINES_BREAKER_HOLD .*needs a span such as 30s/],
  ['KEY_GRACE', '-1s', /GUIDELINES_KEY_GRACE .*needs a span such as 2s/],
  ['EXPECTED', '-60s', /GUIDELINES_EXPECTED .*needs a span such as 60s/],
  ['BACKOFF', '1h30m', /GUIDELINES_BACKOFF .*needs a span such as 60s/],
  ['LLM_RATE', 'often', /GUIDELINES_LLM_RATE .*needs a rate such as 60\/m/],
  ['TEXT_MAX', '5', /GUIDELINES_TEXT_MAX .*needs a number such as 10000/],
] as const)
  test(`GUIDELINES_${name}=${text} is refused at the start, with one that fits`, () => {
    assert.throws(() => readSettings({ [`GUIDELINES_${name}`]: text }), said)
  })
