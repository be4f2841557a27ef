import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { hasCode } from '../../src/job/errors.ts'
import { hookOf } from '../../src/job/hooks.ts'
import type { LimitOption } from '../../src/job/limits.ts'
import { prepareBatch } from '../../src/job/items.ts'
import { prepare } from '../../src/job/prepare.ts'
import { anything } from '../support/schema.ts'

const scrape = defineJob({
  name: 'scrape',
  input: anything<{ host: string }>(),
  limits: [
    { key: 'scrapers', running: 10 },
    { key: ({ host }) => `host:${host}`, running: 2 },
  ],
})
const plain = defineJob({ name: 'plain', input: anything() })

test('a job has the limits of its definition, of its input and of its enqueue', async () => {
  const mail = { key: 'acme', pending: 5 }
  const job = await prepare(scrape, { host: 'x.org' }, { limits: [mail] })
  assert.deepEqual(job.limits, [
    { key: 'scrapers', running: 10 },
    { key: 'host:x.org', running: 2 },
    mail,
  ])
  assert.deepEqual((await prepare(scrape, { host: 'y.org' })).limits?.[1]?.key, 'host:y.org')
  assert.equal((await prepare(plain, {})).limits, undefined)
})

test('a batch with a concurrency of its own has a key of its own', async () => {
  const prepared = prepareBatch(scrape, { concurrency: 3 })
  const { batch } = prepared
  const { limits } = await prepared.item(0, { host: 'x.org' })
  assert.deepEqual(limits?.[2], { key: `batch:${batch.id}`, running: 3 })
})

test('an item that does not fit has no key that is made of its input', () => {
  const prepared = prepareBatch(scrape, {})
  assert.deepEqual(prepared.misfit(0, null).limits, [{ key: 'scrapers', running: 10 }])
})

test('limits that say nothing, too much, or the same twice are refused', async () => {
  const many = ['a', 'b', 'c', 'd'].map((key) => ({ key, running: 1 }))
  const refused: (readonly LimitOption[])[] = [
    [{ key: 'a' }],
    [{ key: '', running: 1 }],
    [{ key: 'a', running: 0 }],
    [{ key: 'a', running: 1.5 }],
    [{ key: 'a', pending: 0 }],
    many,
    [many[0]!, many[0]!],
  ]
  for (const limits of refused)
    await assert.rejects(
      async () => prepare(plain, {}, { limits }),
      (error) => hasCode(error, 'INVALID_OPTION'),
      JSON.stringify(limits),
    )
  const two = [
    { key: 'a', running: 1 },
    { key: 'b', running: 1 },
  ]
  await assert.rejects(async () => prepare(scrape, { host: '' }, { limits: two }), /at most 3/)
  assert.throws(() => defineJob({ name: 'x', input: anything(), limits: many }), /at most 3/)
})

test('what an end brings has the limits of its definition, none of which are made of its input', async () => {
  const limits = [{ key: 'mail', running: 1 }]
  const mail = defineJob({ name: 'mail', input: anything(), limits })
  const { batch } = prepareBatch(plain, { onEnd: mail })
  assert.deepEqual(batch.end?.limits, limits)
  const told = defineJob({ name: 'told', input: anything(), onSuccess: mail })
  const job = { ...(await prepare(told, 1)), fence: 1 }
  assert.deepEqual(hookOf(job, 'completed')?.limits, limits)
  const refused = (error: unknown) => hasCode(error, 'INVALID_OPTION')
  assert.throws(() => prepareBatch(plain, { onEnd: scrape }), refused)
  assert.throws(() => defineJob({ name: 'a', input: anything(), onFailure: scrape }), refused)
})
