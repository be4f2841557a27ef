import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import type { Context } from '../../src/job/context.ts'
import { defineJob, type WholeJob } from '../../src/job/define.ts'
import { open } from '../../src/open.ts'
import { until } from '../support/until.ts'

/** It must be found nowhere. */
const CANARY = 'canary-4242-iban'
const KEYS = `a:${Buffer.alloc(32, 7).toString('base64')}`
const OTHER = `b:${Buffer.alloc(32, 8).toString('base64')}`

const secret = (run: (input: string, context: Context) => unknown, over: object = {}) =>
  defineJob({ name: 'secret', input: z.string(), data: 'sealed', attempts: 2, ...over, run })

async function begin(jobs: readonly WholeJob[], keys: string | undefined = KEYS) {
  const folder = mkdtempSync(join(tmpdir(), 'errand-sealed-'))
  const url = `sqlite:${folder}/errand.db`
  const errand = await open(url, {
    jobs,
    files: `file:${folder}/files`,
    ...(keys && { sealKeys: keys }),
  })
  const handlers = async () => ({ handlers: jobs.map(({ handler }) => handler) })
  return {
    folder,
    url,
    errand,
    work: () => errand.work({ jobs: [...jobs], handlers }, { pollMs: 5 }),
    /** Every byte that was written, while it is still open. */
    traces: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(CANARY))
        .map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      await errand[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

test('nothing that a sealed job is given, says, or comes to lies anywhere in the clear', async () => {
  const child = defineJob({
    name: 'child',
    input: z.string(),
    output: z.string(),
    data: 'sealed',
    run: (given) => `${given} again`,
  })
  const after = defineJob({
    name: 'after',
    input: z.object({ input: z.string(), result: z.string().optional() }).loose(),
    data: 'sealed',
    run: ({ input, result }) => `${input}/${result}`,
  })
  const job = secret(
    async (given, { attempt, call, enqueue, log, progress, step, waitFor }) => {
      log.warn(`about ${given}`)
      progress({ status: given })
      const recorded = await step('learn', () => ({ given }))
      if (attempt === 1) throw new Error(`cannot ${given}`)
      const signal = await waitFor('more', { schema: z.string() })
      const called = await call('child', child, given)
      await enqueue('left', child, given)
      return [recorded.given, signal, called].join()
    },
    { backoff: 1, onSuccess: after },
  )
  await using place = await begin([job, child, after])
  const { errand } = place
  await place.work()
  const { id } = await errand.enqueue(job, CANARY, { unique: CANARY })
  assert.equal((await errand.enqueue(job, CANARY, { unique: CANARY })).joined, true)
  assert.equal((await errand.watch.find(job, CANARY))?.id, id)
  await errand.signal(id, 'more', CANARY)
  const result = await errand.result(job, id, { wait: '20s' })
  assert.equal(result, `${CANARY},${CANARY},${CANARY} again`)

  const view = await errand.job(id)
  assert.deepEqual([view.sealed, view.progress?.status], [true, CANARY])
  assert.equal((await errand.logs(id))[0]?.text, `about ${CANARY}`)
  assert.equal((await errand.attempts(id))[0]?.error?.message, `cannot ${CANARY}`)
  assert.deepEqual((await errand.steps(id))[0]?.value, { given: CANARY })
  assert.equal((await errand.signals(id))[0]?.value, CANARY)
  const { jobs: hooks } = await errand.list({ job: 'after' }, 9)
  const hook = await errand.ended(hooks[0]?.id ?? '', 20_000)
  assert.equal(hook.result, `${CANARY}/${result}`)
  assert.deepEqual(place.traces(), [])
  assert.deepEqual(await errand.verify(), [])
})

test('a job that fails for good leaves nothing in the clear either', async () => {
  const job = secret(
    (given) => {
      throw Object.assign(new Error(given), { code: given })
    },
    { attempts: 1 },
  )
  await using place = await begin([job])
  await place.work()
  const { id } = await place.errand.enqueue(job, CANARY)
  const view = await place.errand.ended(id, 20_000)
  assert.equal(view.error?.message, CANARY)
  assert.deepEqual(place.traces(), [])
})

test('what is private is handed only to what is private', async () => {
  const job = secret((given) => given)
  const open = defineJob({
    name: 'open',
    input: z.string(),
    attempts: 1,
    run: (given, { call }) => call('a', job, given),
  })
  await using place = await begin([job, open])
  await place.work()
  const { id } = await place.errand.enqueue(open, 'x')
  const view = await place.errand.ended(id, 20_000)
  assert.equal(view.state, 'failed')
  assert.match(view.error?.message ?? '', /whoever calls it must have too/)
  const hook = defineJob({ name: 'hook', input: z.unknown() })
  assert.throws(() => secret((given) => given, { onSuccess: hook }), { code: 'INVALID_OPTION' })
})

test('without its key a job is neither taken in, nor run, nor shown', async () => {
  const job = secret((given) => given)
  await using place = await begin([job])
  const { id } = await place.errand.enqueue(job, CANARY)
  await using blind = await open(place.url, { jobs: [job] })
  await assert.rejects(blind.enqueue(job, 'x'), { code: 'SEAL_KEYS_MISSING' })
  await using stranger = await open(place.url, { jobs: [job], sealKeys: OTHER })
  const handlers = async () => ({ work: job.handler })
  const worker = await stranger.work({ jobs: [job], handlers }, { pollMs: 5 })
  await until(place.errand.store, async () => (await place.errand.job(id)).state === 'waiting')
  await worker.stop()
  // Whoever has the key goes on.
  await place.work()
  assert.equal(await place.errand.result(job, id, { wait: '20s' }), CANARY)
  const seen = await blind.job(id)
  assert.deepEqual([seen.state, seen.sealed, seen.result], ['completed', true, undefined])
})

test('what was tampered with fails its job, with a text of ours', async () => {
  const job = secret((given) => given)
  await using place = await begin([job])
  const { id } = await place.errand.enqueue(job, 'one', { delay: '1h' })
  const { id: other } = await place.errand.enqueue(job, 'two', { delay: '1h' })
  await place.errand.cancel(id)
  // The input of another job, put in the place of its own.
  const [stolen] = await place.errand.store.find([other])
  await place.errand.store.retry([id], stolen?.input)
  await place.work()
  const view = await place.errand.ended(id, 20_000)
  assert.deepEqual([view.state, view.reason], ['failed', 'invalid_input'])
  assert.match(view.error?.message ?? '', /cannot be opened/)
})

test('keys are exchanged while jobs wait', async () => {
  const job = secret(async (given, { waitFor }) => [given, await waitFor('go')])
  await using place = await begin([job])
  const worker = await place.work()
  const { id } = await place.errand.enqueue(job, 'old')
  await until(place.errand.store, async () => (await place.errand.job(id)).state === 'waiting')
  await worker.stop()
  await using rotated = await open(place.url, { jobs: [job], sealKeys: `${OTHER},${KEYS}` })
  await rotated.signal(id, 'go', 'new')
  await rotated.work({ jobs: [job], handlers: async () => ({ work: job.handler }) }, { pollMs: 5 })
  assert.deepEqual(await rotated.result(job, id, { wait: '20s' }), ['old', 'new'])
})
