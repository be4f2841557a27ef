import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { FAULTS, rehearse } from 'errand/testing'
import { guidelineChecklist, llmLimit } from '../../../systems/guidelines/contract.ts'
import { toLetter } from '../../../systems/guidelines/failures.ts'
import { until } from '../../support/command.ts'
import { begin, failing, openLlm, TEXT } from './setup.ts'

test('a good job says six lines, and leaves a summary and a checklist', async () => {
  await using llm = await openLlm()
  await using at = await begin(llm)
  await at.errand.drain()
  const { summary, checklist } = await at.errand.result(guidelineChecklist, at.id)
  assert.match(summary, /wash their hands/)
  assert.equal(checklist[0], 'Staff must wash their hands')
  assert.deepEqual(
    (await at.errand.logs(at.id)).map(({ text }) => text),
    [
      'started',
      'summarise started',
      'summarise completed',
      'checklist started',
      'checklist completed',
      'completed',
    ],
  )
})

test('the LLM down: tried again after 60, 120 and 240 s, then a dead letter with the last error', async () => {
  await using llm = await openLlm()
  await llm.script(failing(500, { body: { error: { message: 'the model is away' } } }))
  await using at = await begin(llm)
  await at.errand.drain()
  for (const [i, seconds] of [60, 120, 240].entries()) {
    assert.equal((await at.view()).state, 'scheduled')
    await at.errand.advance((seconds - 1) * 1000)
    assert.equal((await llm.calls()).length, i + 1)
    await at.errand.advance('1s')
    assert.equal((await llm.calls()).length, i + 2)
  }
  const { state, error } = await at.view()
  assert.deepEqual(
    [state, error?.code, error?.message],
    ['failed', 'TRANSIENT', '500 the model is away'],
  )
})

test('a second step that fails does not have the first one paid again', async () => {
  await using llm = await openLlm()
  await llm.script({ ...failing(502), skip: 1, times: 1 })
  await using at = await begin(llm)
  await at.errand.advance('60s')
  assert.equal((await at.view()).state, 'completed')
  assert.equal((await llm.calls()).length, 3)
  assert.deepEqual(llm.steps(), ['summarise', 'checklist'])
})

test('a reply that is lost is asked for again under the same key: one bill', async () => {
  await using llm = await openLlm()
  await llm.script({ path: '/v1', lose: 'reply', times: 1 })
  await using at = await begin(llm)
  await at.errand.advance('60s')
  assert.equal((await at.view()).state, 'completed')
  assert.equal((await llm.calls()).length, 3)
  assert.deepEqual(llm.steps(), ['summarise', 'checklist'])
})

for (const fault of FAULTS.filter((one) => one !== 'timeOut'))
  test(`whatever goes wrong, each step is billed once: ${fault}`, async () => {
    await using llm = await openLlm()
    await using at = await begin(llm, { faults: [{ job: guidelineChecklist, fault }] })
    await at.errand.advance('1h')
    assert.equal((await at.view()).state, 'completed')
    assert.deepEqual(llm.steps(), ['summarise', 'checklist'])
  })

test('a rate limit is waited out as long as it asks, and costs no attempt', async () => {
  await using llm = await openLlm()
  await llm.script(failing(429, { times: 1, headers: { 'retry-after': '7' } }))
  await using at = await begin(llm)
  await at.errand.advance(6900)
  assert.equal((await llm.calls()).length, 1)
  await at.errand.advance(200)
  const { state, attempt } = await at.view()
  assert.deepEqual([state, attempt], ['completed', 1])
})

for (const status of [429, 503])
  test(`an LLM that asks with ${status} for a day is asked again after a quarter of an hour`, async () => {
    await using llm = await openLlm()
    await llm.script(failing(status, { times: 1, headers: { 'retry-after': '86400' } }))
    await using at = await begin(llm)
    await at.errand.advance('14m')
    assert.equal((await llm.calls()).length, 1)
    await at.errand.advance('2m')
    assert.equal((await at.view()).state, 'completed')
    assert.equal((await llm.calls()).length, 3)
  })

for (const [status, code, body] of [
  [401, 'AUTH', undefined],
  [403, 'AUTH', undefined],
  [400, 'INVALID', undefined],
  [429, 'QUOTA', { error: { message: 'nothing left', code: 'insufficient_quota' } }],
] as const)
  test(`${status} ${code} fails at once: another attempt would change nothing`, async () => {
    await using llm = await openLlm()
    await llm.script(failing(status, { body }))
    await using at = await begin(llm, {}, { KEY_GRACE: '1ms' })
    await at.errand.advance('1h')
    const { state, error } = await at.view()
    assert.deepEqual([state, error?.code, (await llm.calls()).length], ['failed', code, 1])
  })

test('a mistake in our own code fails at once', async () => {
  await using llm = await openLlm()
  await using at = await begin(llm, { resources: {} })
  await at.errand.advance('1h')
  const { state, error, attempt } = await at.view()
  assert.deepEqual([state, error?.name, attempt], ['failed', 'TypeError', 1])
})

test('while the LLM is down nobody goes on calling it, and no job is burnt', async () => {
  await using llm = await openLlm()
  await llm.script(failing(503, { times: 6 }))
  const settings = { BREAKER_FAILURES: 2, BREAKER_HOLD: '30s', TURN_PATIENCE: '20ms' }
  await using at = await begin(llm, {}, settings)
  const others = Array.from({ length: 8 }, () => ({ guidelines: TEXT }))
  await at.errand.enqueueMany(guidelineChecklist, others)
  await at.errand.drain()
  assert.equal((await llm.calls()).length, 2)
  await at.errand.advance('29s')
  assert.equal((await llm.calls()).length, 2)
  await at.errand.advance('1h')
  const { jobs } = await at.errand.list({}, 100)
  assert.deepEqual([...new Set(jobs.map(({ state }) => state))], ['completed'])
})

for (const [status, last] of [
  [429, { code: 'RATE_LIMITED', message: 'calls of the LLM were paused' }],
  [500, { code: 'TRANSIENT', message: '500 the model is away' }],
] as const)
  test(`whose deadline passes while the LLM answers ${status} says what that said last`, async () => {
    await using llm = await openLlm()
    const body = { error: { message: 'the model is away' } }
    await llm.script(failing(status, { body, headers: { 'retry-after': '600' } }))
    await using errand = await rehearse(llm.app(), { patience: '5s' })
    const { id } = await errand.enqueue(
      guidelineChecklist,
      { guidelines: TEXT },
      { deadline: '6s' },
    )
    await errand.advance('1h')
    const { first_error, last_error } = await toLetter(errand, await errand.job(id))
    assert.deepEqual(first_error, last)
    assert.deepEqual(last_error, { code: 'TIMEOUT', message: 'Processing timeout', cause: last })
  })

test('a job whose turn does not come is given back before its time runs out', async () => {
  await using llm = await openLlm()
  await using at = await begin(
    llm,
    { patience: '300ms' },
    { TURN_PATIENCE: '50ms', LLM_TIMEOUT: '1s' },
  )
  await llm.script(failing(429, { times: 1, headers: { 'retry-after': '600' } }))
  await at.errand.drain()
  await at.errand.enqueue(guidelineChecklist, { guidelines: `${TEXT} Again.` })
  await at.errand.drain()
  const { jobs } = await at.errand.list({ state: 'waiting' }, 10)
  assert.equal(jobs.length, 2)
  await at.errand.advance('11m')
  assert.equal((await at.errand.list({ state: 'completed' }, 10)).jobs.length, 2)
})

test('who gives up waiting for its turn closes the LLM to nobody', async () => {
  await using llm = await openLlm()
  const settings = { ...llm.settings, TURN_PATIENCE: '50ms' } as const
  await using errand = await rehearse(llm.app({ settings }), { patience: '300ms' })
  const inputs = Array.from({ length: 32 }, () => ({ guidelines: TEXT }))
  await errand.enqueueMany(guidelineChecklist, inputs)
  await errand.drain()
  assert.equal((await llm.calls()).length, 60)
  assert.notEqual((await errand.list({ state: 'waiting' }, 10)).jobs.length, 0)
  const limit = (await errand.limits()).find(({ name }) => name === llmLimit.name)
  assert.equal(limit?.closedUntil, undefined)
  await errand.advance('62s')
  assert.equal((await errand.list({ state: 'completed' }, 100)).jobs.length, 32)
})

test('a key that was replaced is in force at the next call, and a refused one is looked at again', async () => {
  await using llm = await openLlm()
  const file = `${tmpdir()}/errand-key-${process.pid}`
  writeFileSync(file, 'sk-old-secret-0001')
  const settings = { ...llm.settings, LLM_KEY_FILE: file, KEY_GRACE: '100ms' } as const
  await using errand = await rehearse(llm.app({ settings }), { patience: '5s' })
  const { id } = await errand.enqueue(guidelineChecklist, { guidelines: TEXT })
  const message = 'Incorrect API key provided: sk-old-secret-0001'
  await llm.script(failing(401, { times: 1, delayMs: 50, body: { error: { message } } }))
  const drained = errand.drain()
  await until(async () => (await llm.calls()).at(0), 'the LLM was not called')
  writeFileSync(file, 'sk-new-secret-0002')
  await drained
  assert.equal((await errand.job(id)).state, 'completed')
  assert.deepEqual([...new Set(llm.bills.list().map(({ secret }) => secret))], ['0002'])

  await llm.script(failing(401, { body: { error: { message: message.replace('old', 'new') } } }))
  const dead = await errand.enqueue(guidelineChecklist, { guidelines: TEXT })
  await errand.drain()
  // Somebody may still put the right one there.
  assert.equal((await errand.job(dead.id)).state, 'scheduled')
  await errand.advance('10m')
  const shown = JSON.stringify([await errand.job(dead.id), await errand.attempts(dead.id)])
  assert.match(shown, /"AUTH"/)
  assert.doesNotMatch(shown, /secret/)
  rmSync(file)
})

test('a new key that is refused at first costs the job an attempt, as an old one does', async () => {
  await using llm = await openLlm()
  const file = `${tmpdir()}/errand-key-slow-${process.pid}`
  writeFileSync(file, 'sk-old-secret-0001')
  const settings = { ...llm.settings, LLM_KEY_FILE: file, KEY_GRACE: '100ms' } as const
  await using errand = await rehearse(llm.app({ settings }), { patience: '5s' })
  const { id } = await errand.enqueue(guidelineChecklist, { guidelines: TEXT })
  await llm.script(failing(401, { times: 2, delayMs: 50, body: { error: { message: 'no' } } }))
  const drained = errand.drain()
  await until(async () => (await llm.calls()).at(0), 'the LLM was not called')
  writeFileSync(file, 'sk-new-secret-0002')
  await drained
  assert.equal((await errand.job(id)).state, 'scheduled')
  await errand.advance('61s')
  assert.equal((await errand.job(id)).state, 'completed')
  rmSync(file)
})

test('a key that is away, half there or none loses no job, and is never told', async () => {
  await using llm = await openLlm()
  const file = `${tmpdir()}/errand-key-away-${process.pid}`
  const settings = { ...llm.settings, LLM_KEY_FILE: file, KEY_GRACE: '1ms' } as const
  await using errand = await rehearse(llm.app({ settings }), { patience: '5s' })
  const { id } = await errand.enqueue(guidelineChecklist, { guidelines: TEXT })
  await errand.drain()
  for (const [text, span] of [
    ['', '61s'],
    ['sk-secret-\u0007broken', '121s'],
  ] as const) {
    writeFileSync(file, text)
    await errand.advance(span)
  }
  const view = await errand.job(id)
  assert.equal(view.state, 'scheduled')
  assert.doesNotMatch(JSON.stringify([view, await errand.attempts(id)]), /secret/)
  writeFileSync(file, 'sk-right-secret-0003\n# rotated today\n')
  await errand.advance('10m')
  assert.equal((await errand.job(id)).state, 'completed')
  assert.deepEqual([...new Set(llm.bills.list().map(({ secret }) => secret))], ['0003'])
  rmSync(file)
})
