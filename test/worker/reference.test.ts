import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Context } from '../../src/job/context.ts'
import { defineJob } from '../../src/job/define.ts'
import { rehearse } from '../../src/testing/rehearse.ts'
import { copyAll } from '../support/copies.ts'

/** What the handler finds where its reference points to: it must be found nowhere else. */
const CANARY = 'canary-5151-name'
const SECOND = 1000

const report = (run: (context: Context) => unknown, over: object = {}) =>
  defineJob({
    name: 'report',
    input: z.object({ recordId: z.string() }).loose(),
    data: 'reference',
    references: ['recordId', 'rows'],
    attempts: 2,
    ...over,
    run: (_, context) => run(context),
  })

type Rehearsed = Awaited<ReturnType<typeof begin>>
const begin = (job: ReturnType<typeof report>) => rehearse({ jobs: [job] }, { patience: '5s' })

async function run(errand: Rehearsed, job: ReturnType<typeof report>) {
  const { id } = await errand.enqueue(job, { recordId: 'r-1' })
  await errand.drain()
  return id
}

/** Whether the store holds it, in any byte of anything. */
async function isKept(errand: Rehearsed): Promise<boolean> {
  const { jobs } = await copyAll(errand.store)
  assert.notEqual(jobs.length, 0)
  const texts = JSON.stringify(jobs, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  )
  const buffers = texts.matchAll(/"data":\[([\d,]+)\]/g)
  const bytes = [...buffers].map(([, list = '']) => Buffer.from(list.split(',').map(Number)))
  return [texts, ...bytes].some((part) => part.includes(CANARY))
}

test('of what a job says that rests by reference, counts and codes are kept and no text', async () => {
  const job = report(async ({ log, progress, warn, step }) => {
    log.error(CANARY)
    progress(Object.assign({ done: 1, total: 2, status: CANARY }, { name: CANARY }))
    warn('PARTIAL', CANARY)
    warn(CANARY)
    const { rows } = await step('count', () => ({ rows: 2 }))
    return { rows }
  })
  await using errand = await begin(job)
  const id = await run(errand, job)
  const view = await errand.job(id)
  assert.deepEqual([view.state, view.withErrors], ['completed', true])
  assert.deepEqual([view.progress, view.result], [{ done: 1, total: 2 }, { rows: 2 }])
  assert.deepEqual(
    (await errand.logs(id)).map(({ text }) => text),
    ['PARTIAL'],
  )
  assert.equal(await isKept(errand), false)
})

test('an error is kept without its text, and so is what ends the job for good', async () => {
  for (const thrown of [CANARY, Object.assign(new TypeError(CANARY), { code: 'E_ROW' })]) {
    const job = report(
      () => {
        throw thrown
      },
      { backoff: SECOND },
    )
    await using errand = await begin(job)
    const id = await run(errand, job)
    await errand.advance(SECOND)
    const [first] = await errand.attempts(id)
    const { state, error } = await errand.job(id)
    assert.equal(state, 'failed')
    assert.match(error?.message ?? '', /not kept/)
    assert.equal(first?.error?.name, thrown instanceof Error ? 'TypeError' : 'Thrown')
    assert.equal(first?.error?.code, thrown instanceof Error ? 'E_ROW' : undefined)
    assert.equal(await isKept(errand), false)
  }
})

test('a step or a result that is more than declared references is refused', async () => {
  const learned: unknown[] = []
  const stepped = report(async ({ step }) => {
    await step('learn', () => ({ name: CANARY })).catch((error: unknown) => {
      learned.push(error)
      throw error
    })
  })
  await using one = await begin(stepped)
  const id = await run(one, stepped)
  const failed = await one.job(id)
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'STEP_REFUSED'])
  assert.match(String(learned[0]), /more than the declared references/)
  assert.deepEqual(await one.steps(id), [])
  assert.equal(await isKept(one), false)

  for (const result of [CANARY, { name: CANARY }, { rows: { name: CANARY } }, { [CANARY]: 1 }]) {
    const job = report(() => result)
    await using errand = await begin(job)
    const { state, reason, error } = await errand.job(await run(errand, job))
    assert.deepEqual([state, reason], ['failed', 'unserializable_result'])
    assert.match(error?.message ?? '', /declared references/)
    assert.equal(await isKept(errand), false)
  }
})

test('a result that its schema refuses is told without the names in it', async () => {
  const job = report(() => ({ rows: { [CANARY]: 'x' } }), {
    output: z.object({ rows: z.record(z.string(), z.number()) }),
  })
  await using errand = await begin(job)
  const { reason } = await errand.job(await run(errand, job))
  assert.equal(reason, 'unserializable_result')
  assert.equal(await isKept(errand), false)
})

test('what is sent to such a job later is held to the same', async () => {
  const job = report(({ waitFor }) => waitFor('more'))
  await using errand = await begin(job)
  const id = await run(errand, job)
  for (const value of [CANARY, { name: CANARY }])
    await assert.rejects(errand.signal(id, 'more', value), { code: 'INVALID_INPUT' })
  await errand.cancel(id)
  await assert.rejects(errand.retry(id, { input: { recordId: 'r-2', name: CANARY } }), {
    code: 'INVALID_INPUT',
    issues: [{ pointer: '/name', code: 'undeclared', detail: 'is no declared reference' }],
  })
  await errand.retry(id, { input: { recordId: 'r-2' } })
  await errand.signal(id, 'more', { rows: 3 })
  await errand.drain()
  assert.deepEqual((await errand.job(id)).result, { rows: 3 })
  assert.equal(await isKept(errand), false)
})

test('waits and calls of such a job go on as ever', async () => {
  const child = defineJob({ name: 'child', input: z.string(), output: z.string(), run: (n) => n })
  const job = report(async ({ sleep, call, enqueue }) => {
    await sleep('a while', '1m')
    await enqueue('next', child, 'a')
    return { rows: Number(await call('count', child, '7')) }
  })
  await using errand = await rehearse({ jobs: [job, child] })
  const { id } = await errand.enqueue(job, { recordId: 'r-1' })
  await errand.advance('1m')
  assert.deepEqual((await errand.job(id)).result, { rows: 7 })
})
