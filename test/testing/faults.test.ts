import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Context } from '../../src/job/context.ts'
import { defineJob } from '../../src/job/define.ts'
import { type Fault, FAULTS } from '../../src/testing/faults.ts'
import { rehearse } from '../../src/testing/rehearse.ts'

const Seen = z.object({ first: z.boolean(), attempt: z.number(), fence: z.number() })

/** Runs one job whose first run meets this fault, and tells all that was seen of it. */
async function meet(
  fault: Fault,
  {
    run = 1,
    over = {},
    work,
  }: { run?: number; over?: object; work?: (context: Context) => unknown } = {},
) {
  const runs: string[] = []
  const job = defineJob({
    name: 'job',
    input: z.unknown(),
    ...over,
    run: async (_, context) => {
      const { attempt, fence, signal } = context
      const first = runs.push('begun') === 1
      await work?.(context)
      if (signal.aborted) throw signal.reason
      runs.push('done')
      return { first, attempt, fence }
    },
  })
  await using errand = await rehearse(
    { jobs: [job] },
    { faults: [{ job, run, fault }], patience: 50 },
  )
  const { id } = await errand.enqueue(job, {})
  await errand.drain()
  await errand.advance('2m')
  const view = await errand.job(id)
  const attempts = (await errand.attempts(id)).map(({ outcome }) => outcome)
  assert.deepEqual(errand.faultsLeft, [])
  assert.deepEqual(await errand.verify(), [])
  const { state, reason } = view
  const result = Seen.safeParse(view.result).data
  return { state, reason, result, runs: runs.join(' '), attempts, late: errand.late }
}

test('thrown before: the handler is not called, and the failure counts', async () => {
  const seen = await meet('throwBefore')
  assert.deepEqual([seen.state, seen.runs, seen.attempts], ['completed', 'begun done', ['error']])
  assert.deepEqual([seen.result?.attempt, seen.result?.first], [2, true])
})

test('a crash after: the work was done, nobody heard of it, and it is done again', async () => {
  const seen = await meet('crashAfter')
  assert.deepEqual([seen.state, seen.runs], ['completed', 'begun done begun done'])
  assert.deepEqual([seen.attempts, seen.late, seen.result?.first], [['crashed'], 0, false])
})

test('a late result is refused, and the second run’s is kept', async () => {
  const seen = await meet('lateResult')
  assert.deepEqual([seen.state, seen.runs], ['completed', 'begun done begun done'])
  assert.deepEqual([seen.attempts, seen.late, seen.result?.first], [['lost'], 1, false])
})

test('run twice: both runs go on at the same time, and one result is kept', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let going = 0
  // Neither goes on before both are here.
  const seen = await meet('runTwice', { work: () => (++going === 2 && resolve(), promise) })
  assert.deepEqual([seen.state, seen.runs], ['completed', 'begun begun done done'])
  assert.deepEqual([seen.attempts, seen.late, seen.result?.first], [['lost'], 1, false])
})

test('a run that was overtaken is waited for, and its own limits come with the clock', async () => {
  let runs = 0
  const slow = async () => {
    for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate)
  }
  const run = () => (runs++ === 0 ? slow() : undefined)
  const waits = defineJob({ name: 'waits', input: z.unknown(), run })
  const hangs = defineJob({
    name: 'waits',
    input: z.unknown(),
    run: () => (runs++ === 2 ? new Promise(() => undefined) : 1),
  })
  const faults = [{ job: waits, fault: 'runTwice' as const }]
  await using errand = await rehearse({ jobs: [waits] }, { faults })
  await errand.enqueue(waits, {})
  await errand.drain()
  assert.equal(errand.late, 1)
  await using other = await rehearse({ jobs: [hangs] }, { faults, patience: 20 })
  await other.enqueue(hangs, {})
  await assert.rejects(other.drain(), { code: 'STILL_RUNNING' })
  await other.advance('306s')
  await other.drain()
  assert.equal(other.late, 1)
})

test('a run that was overtaken records no step', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let going = 0
  const refused: unknown[] = []
  const work = async ({ step }: Context) => {
    const isFirst = ++going === 1
    if (isFirst) await promise
    try {
      await step('pay', () => (isFirst ? 'late' : 'current'))
    } catch (error) {
      refused.push(error)
      throw error
    } finally {
      resolve()
    }
  }
  const seen = await meet('runTwice', { work })
  assert.deepEqual([seen.state, seen.late, refused.length], ['completed', 1, 1])
})

test('a time-out: the signal fires, and what is done after it does not count', async () => {
  const seen = await meet('timeOut')
  assert.deepEqual([seen.state, seen.runs], ['completed', 'begun begun done'])
  assert.deepEqual([seen.attempts, seen.result?.attempt], [['timeout'], 2])
})

test('a job that must not be repeated is not, whatever becomes of its worker', async () => {
  const seen = await meet('lateResult', { over: { onLost: 'fail' } })
  assert.deepEqual(
    [seen.state, seen.reason, seen.runs, seen.late],
    ['failed', 'lost', 'begun done', 1],
  )
})

test('a fault is met by the run it is planned for, and by each job of that name', async () => {
  const runs: string[] = []
  const job = defineJob({ name: 'job', input: z.string(), run: (name) => void runs.push(name) })
  const faults = ([1, 2] as const).map((run) => ({ job: 'job', run, fault: 'crashAfter' as const }))
  await using errand = await rehearse(
    { jobs: [job] },
    { faults: [...faults, { job, run: 9, fault: 'timeOut' }] },
  )
  await errand.enqueueMany(job, ['a', 'b'])
  assert.equal((await errand.drain()).length, 0)
  assert.equal((await errand.advance('1s')).length, 2)
  assert.deepEqual(runs.toSorted(), ['a', 'a', 'a', 'b', 'b', 'b'])
  assert.deepEqual(errand.faultsLeft, [{ job: 'job', run: 9, fault: 'timeOut' }])
})

for (const fault of FAULTS)
  test(`${fault}: the same things happen in the same order, whenever it is rehearsed`, async () => {
    const { result: _one, ...one } = await meet(fault)
    const { result: _two, ...two } = await meet(fault)
    assert.deepEqual(one, two)
  })
