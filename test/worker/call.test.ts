import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Context } from '../../src/job/context.ts'
import { chain } from '../../src/job/chain.ts'
import { ChildFailed, FatalError } from '../../src/job/control.ts'
import { defineJob, type WholeJob } from '../../src/job/define.ts'
import { readFailure } from '../../src/job/failure.ts'
import type { Schema } from '../../src/job/schema.ts'
import { rehearse } from '../../src/testing/rehearse.ts'
import { bytes, SECOND } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { Workplace } from '../support/workplace.ts'

const double = defineJob({
  name: 'double',
  input: z.number(),
  output: z.number(),
  run: (n) => n * 2,
})
const caller = (run: (input: unknown, context: Context) => unknown, over: object = {}) =>
  defineJob({ name: 'caller', input: anything(), attempts: 3, run, ...over })

async function open(...jobs: WholeJob[]) {
  const place = await Workplace.open(...jobs)
  await place.work(place.crew(jobs.map(({ handler }) => handler)))
  return place
}
const messageOf = ({ error }: { error?: Uint8Array }) => readFailure(error ?? bytes('{}')).message

test('a job calls others, holds no place meanwhile, and goes on with what they came to', async () => {
  let runs = 0
  const sum = caller(async (_, { call }) => {
    runs++
    const [a, b] = await Promise.all([call('a', double, 1), call('b', double, 2)])
    return a + b + (await call('c', double, a + b))
  })
  await using place = await open(double, sum)
  const { id } = await place.client.enqueue(sum, {}, { tenant: 'acme' })
  assert.equal(await place.watch.result(sum, id), 18)
  // Once until it waits for two, once for the third, once to its end.
  assert.equal(runs, 3)
  const { jobs } = await place.store.list({ job: 'double' }, 10)
  assert.deepEqual(
    jobs.map(({ tenant, parent }) => [tenant, parent?.id, parent?.name]).toReversed(),
    ['a', 'b', 'c'].map((name) => ['acme', id, name]),
  )
})

test('a child that failed fails its caller at once, unless that goes on', async () => {
  const broken = defineJob({
    name: 'broken',
    input: anything(),
    run: () => {
      throw new FatalError('no such page')
    },
  })
  const strict = caller((_, { call }) => call('a', broken, 1))
  const lenient = caller(
    (_, { call }) =>
      call('a', broken, 1).catch((error: unknown) =>
        error instanceof ChildFailed ? [error.state, error.child !== ''] : error,
      ),
    { name: 'lenient' },
  )
  await using place = await open(broken, strict, lenient)
  const { id } = await place.client.enqueue(strict, {})
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.reason, ended.failures], ['failed', 'error', 1])
  assert.match(messageOf(ended), /broken .* failed \(error\): no such page/)
  const other = await place.client.enqueue(lenient, {})
  assert.deepEqual(await place.watch.result(lenient, other.id), ['failed', true])
})

test('one failure among several is heard of before the others have ended', async () => {
  const { promise: never } = Promise.withResolvers<number>()
  const slow = defineJob({ name: 'slow', input: anything(), run: () => never })
  const broken = defineJob({
    name: 'broken',
    input: anything(),
    run: () => {
      throw new FatalError('no')
    },
  })
  const all = caller((_, { call }) => Promise.all([call('a', slow, 1), call('b', broken, 1)]))
  await using place = await open(slow, broken, all)
  const { id } = await place.client.enqueue(all, {})
  assert.equal((await place.ended(id)).state, 'failed')
  for (const { id: child } of (await place.store.list({ job: 'slow' }, 9)).jobs)
    await place.client.cancel(child)
})

test('a person who retries the caller has what went wrong run again, and nothing else', async () => {
  let isMended = false
  const runs: string[] = []
  const shaky = defineJob({
    name: 'shaky',
    input: anything(),
    run: () => {
      runs.push('shaky')
      if (!isMended) throw new FatalError('not yet')
      return 'well'
    },
  })
  const good = defineJob({ name: 'good', input: anything(), run: () => void runs.push('good') })
  const both = caller(async (_, { call }) => [
    (await call('a', good, 1)) ?? null,
    await call('b', shaky, 1),
  ])
  await using place = await open(shaky, good, both)
  const { id } = await place.client.enqueue(both, {})
  assert.equal((await place.ended(id)).state, 'failed')
  isMended = true
  await place.client.retry(id)
  assert.deepEqual(await place.watch.result(both, id), [null, 'well'])
  assert.deepEqual(runs, ['good', 'shaky', 'shaky'])
})

test('a caller that was given another input calls anew', async () => {
  let isMended = false
  const both = caller(async (n, { call }) => {
    const doubled = await call('a', double, Number(n))
    if (!isMended) throw new FatalError('not yet')
    return doubled
  })
  await using place = await open(double, both)
  const { id } = await place.client.enqueue(both, 1)
  assert.equal((await place.ended(id)).state, 'failed')
  isMended = true
  await place.client.retry(id, { input: 5 })
  assert.equal(await place.watch.result(both, id), 10)
})

test('what a job came to is given as it is, though its schemas make something else of what they get', async () => {
  const spelled = defineJob({
    name: 'spelled',
    input: z.number(),
    output: z.number().transform(String),
    run: (n) => n,
  })
  const parsed = defineJob({
    name: 'parsed',
    input: z.string().transform(Number),
    output: z.number(),
    run: (n) => n + 1,
  })
  const both = caller(async (_, { call }) => call('a', spelled, 1))
  const links = chain({ name: 'links' }, parsed, double)
  await using place = await open(spelled, parsed, double, both, links)
  const { id } = await place.client.enqueue(both, {})
  assert.equal(await place.watch.result(both, id), '1')
  const chained = await place.client.enqueue(links, '20')
  assert.equal(await place.watch.result(links, chained.id), 42)
})

test('nobody is set aside while a call is being prepared', async () => {
  const slow: Schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => new Promise((resolve) => setTimeout(() => resolve({ value }), 20)),
    },
  }
  const child = defineJob({ name: 'slow', input: slow, run: () => 'done' })
  const both = caller((_, { call, waitFor }) => Promise.all([waitFor('go'), call('a', child, {})]))
  await using place = await open(child, both)
  const { id } = await place.client.enqueue(both, {})
  const { waitingFor } = await place.reaches(id, 'waiting')
  assert.equal(waitingFor, 'signal:go, call:a')
  await place.client.signal(id, 'go', 1)
  assert.deepEqual(await place.watch.result(both, id), [1, 'done'])
})

test('whoever cancels a caller cancels what it called, and what that called', async () => {
  const lowest = caller((_, { waitFor }) => waitFor('never'), { name: 'lowest' })
  const middle = caller((_, { call }) => call('low', lowest, 1), { name: 'middle' })
  const top = caller((_, { call }) => call('mid', middle, 1), { name: 'top' })
  await using place = await open(lowest, middle, top)
  const { id } = await place.client.enqueue(top, {})
  const found = async (job: string) => (await place.store.list({ job }, 1)).jobs[0]?.id
  let low: string | undefined
  while ((low = await found('lowest')) === undefined) await place.reaches(id, 'waiting')
  await place.reaches(low, 'waiting')
  await place.client.cancel(id)
  for (const job of ['middle', 'lowest'])
    assert.equal((await place.ended((await found(job)) ?? '')).state, 'cancelled')
})

test('a name that was called for something else by an earlier run ends the job', async () => {
  let n = 0
  const fickle = caller(async (_, { call }) => call('a', double, n++))
  await using place = await open(double, fickle)
  const { id } = await place.client.enqueue(fickle, {})
  const ended = await place.ended(id)
  assert.equal(ended.state, 'failed')
  assert.match(messageOf(ended), /call:a was called for another job or on another input/)
})

test('an input that does not fit the job that is called stores nothing', async () => {
  const picky = defineJob({ name: 'picky', input: anything(), run: () => 1 })
  const refusing = { ...picky, input: z.object({ n: z.number() }) }
  const strict = caller((_, { call }) => call('a', refusing, JSON.parse('{"n":"x"}')), {
    name: 'strict',
  })
  await using place = await open(picky, strict)
  const { id } = await place.client.enqueue(strict, {})
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.reason], ['failed', 'invalid_input'])
  assert.deepEqual((await place.store.list({ job: 'picky' }, 9)).jobs, [])
})

test('a caller that fails for itself runs again, and calls nobody twice', async () => {
  const runs: string[] = []
  const once = defineJob({ name: 'once', input: anything(), run: () => runs.push('once') })
  const shaky = caller(async (_, { call, attempt }) => {
    const n = await call('a', once, 1)
    if (attempt === 1) throw new Error('afterwards')
    return n
  })
  await using place = await open(once, shaky)
  const { id } = await place.client.enqueue(shaky, {})
  await place.reaches(id, 'scheduled')
  place.clock.advance(60 * SECOND)
  assert.equal(await place.watch.result(shaky, id), 1)
  assert.deepEqual(runs, ['once'])
})

test('a caller that is cancelled is retried when its child has ended, and has it run again', async () => {
  let runs = 0
  const deaf = defineJob({
    name: 'deaf',
    input: z.null(),
    output: z.string(),
    run: () => (++runs === 1 ? new Promise<string>(() => undefined) : 'again'),
  })
  const caller = defineJob({
    name: 'caller',
    input: z.null(),
    run: (_, { call }) => call('a', deaf, null),
  })
  await using errand = await rehearse({ jobs: [caller, deaf] }, { patience: '50ms' })
  const { id } = await errand.enqueue(caller, null)
  await errand.advance(0)
  assert.equal(await errand.cancel(id), 'cancelled')
  await assert.rejects(errand.retry(id), { code: 'WRONG_STATE' })
  const [child] = await errand.advance('1s')
  assert.deepEqual([child?.job, child?.state], ['deaf', 'cancelled'])
  await errand.retry(id)
  await errand.drain()
  assert.equal(await errand.result(caller, id), 'again')
  assert.deepEqual(await errand.verify(), [])
})
