import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { hasCode } from '../../src/job/errors.ts'
import { readFailure } from '../../src/job/failure.ts'
import { counting } from '../support/counting.ts'
import { Cuttable } from '../support/cuttable.ts'
import { held } from '../support/held.ts'
import { Hand, LEASE_MS, only, pass, seen } from '../support/hand.ts'
import { bytes, completed, DAY, SECOND, textOf } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { eventually, until } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

const input = anything()
const double = defineJob({ name: 'double', input, run: (n) => Number(n) * 2 })

test('a job is claimed, run and settled', async () => {
  await using place = await Workplace.open(double)
  await place.work(place.crew([double.handler]))
  const { id } = await place.client.enqueue(double, 21)
  assert.equal(await place.watch.result(double, id), 42)
  assert.deepEqual(await place.watch.verify(), [])
})

test('a failed attempt is repeated after the delay of its policy, and no sooner', async () => {
  const attempts: number[] = []
  const flaky = defineJob({
    name: 'flaky',
    input,
    run: (_, { attempt }) => {
      if (attempts.push(attempt) === 1) throw new Error('broken')
    },
  })
  await using place = await Workplace.open(flaky, double)
  await place.work(place.crew([flaky.handler, double.handler]))
  const { id } = await place.client.enqueue(flaky, {})
  const failure = await place.reaches(id, 'scheduled')
  assert.equal(failure.runAt, place.clock.now() + 60 * SECOND)
  assert.equal(readFailure(failure.error ?? bytes('')).message, 'broken')

  place.clock.advance(60 * SECOND - 1)
  await place.ended((await place.client.enqueue(double, 1)).id)
  assert.deepEqual(attempts, [1])
  place.clock.advance(1)
  assert.equal((await place.ended(id)).state, 'completed')
  assert.deepEqual(attempts, [1, 2])
})

test('a warning is shown on the job, and files lie where it says', async () => {
  const partial = defineJob({
    name: 'partial',
    input,
    run: async (_, { warn, artifact, progress, log }) => {
      progress({ done: 1, total: 2 })
      log.info('half')
      warn('PARTIAL')
      await artifact('half.txt', 'half')
    },
  })
  await using place = await Workplace.open(partial)
  await place.work(place.crew([partial.handler]))
  const { id } = await place.client.enqueue(partial, {})
  const job = await place.ended(id)
  assert.equal(job.withErrors, true)
  assert.equal(textOf(job.progress), '{"done":1,"total":2}')
  const { fence, file } = only(job.artifacts)
  assert.equal(await new Response(await place.files.read({ id, fence, file })).text(), 'half')
  const lines = await place.watch.logs(id)
  assert.deepEqual(
    lines.map(({ text }) => text),
    ['half', 'PARTIAL'],
  )
})

test('a job nobody here knows is set aside, and woken by a worker that knows it', async () => {
  await using place = await Workplace.open(double)
  const ignorant = await place.work(place.crew([]))
  const { id } = await place.client.enqueue(double, 21)
  const parked = await place.reaches(id, 'waiting')
  assert.equal(parked.waitingFor, 'handler')
  assert.equal(parked.failures, 0)
  await ignorant.stop()
  await place.work(place.crew([double.handler]))
  assert.equal(await place.watch.result(double, id), 42)
})

test('a job that did not start in time has expired', async () => {
  await using place = await Workplace.open(double)
  const { id } = await place.client.enqueue(double, 1, { expiresIn: '1m' })
  place.clock.advance(61 * SECOND)
  await place.work(place.crew([double.handler]))
  const { state, reason } = await place.ended(id)
  assert.deepEqual([state, reason], ['failed', 'expired'])
})

test('a job whose deadline passed before it began has run out of time', async () => {
  await using place = await Workplace.open(double)
  const { id } = await place.client.enqueue(double, 1, { deadline: '1m' })
  place.clock.advance(60 * SECOND)
  await place.work(place.crew([double.handler]))
  const { state, reason } = await place.ended(id)
  assert.deepEqual([state, reason], ['failed', 'timeout'])
})

test('a deadline is told by the store’s clock, whatever this machine’s says', async () => {
  const { job, began, end } = held('long')
  await using place = await Workplace.open(job, double)
  place.clock.set(Date.now() - 30 * DAY)
  await place.work(place.crew([job.handler, double.handler]))
  const { id } = await place.client.enqueue(job, {}, { deadline: '1h' })
  const signal = await began
  for (let n = 0; n < 20; n++) await place.ended((await place.client.enqueue(double, n)).id)
  end.resolve()
  assert.equal(signal.aborted, false)
  assert.equal((await place.ended(id)).state, 'completed')
})

test('a deadline nearer than the soft limit stops the attempt, and the job', async () => {
  const { job, began, end } = held('long')
  await using place = await Workplace.open(job)
  await place.work(place.crew([job.handler]))
  const { id } = await place.client.enqueue(job, {}, { deadline: '20ms' })
  const signal = await began
  signal.addEventListener('abort', () => end.reject(signal.reason))
  const { state, reason, failures } = await place.ended(id)
  assert.deepEqual([state, reason, failures], ['failed', 'timeout', 1])
})

test('a running job that is cancelled hears of it and is settled as cancelled', async () => {
  const { job, began, end } = held('long')
  await using place = await Workplace.open(job)
  await place.work(place.crew([job.handler]), { renewMs: 5 })
  const { id } = await place.client.enqueue(job, {})
  const signal = await began
  signal.addEventListener('abort', () => end.reject(signal.reason))
  assert.equal(await place.client.cancel(id), 'asked')
  assert.equal((await place.ended(id)).state, 'cancelled')
})

test('jobs of a dead worker are taken over, the loss is counted, and what it wrote is removed', async () => {
  await using place = await Workplace.open(double)
  const dead = await Hand.register(place.store)
  const { id } = await place.client.enqueue(double, 21)
  const { fence } = await dead.claimOne()
  const left = { id, fence, file: 'half.csv' }
  await place.files.write(left, Readable.from([Buffer.from('half')]), 10)
  const { id: worker } = await place.work(place.crew([double.handler]), { renewMs: 5, sweepMs: 5 })
  for (let passed = 0; passed <= 2 * LEASE_MS; passed += 5 * SECOND) {
    place.clock.advance(5 * SECOND)
    await until(place.store, async () => {
      const row = (await place.store.workers()).find((other) => other.id === worker)
      return row?.leaseUntil === place.clock.now() + LEASE_MS
    })
  }
  const { state, losses, failures } = await place.ended(id)
  assert.deepEqual([state, losses, failures], ['completed', 1, 0])
  await eventually(() =>
    place.files.read(left).then(
      () => undefined,
      (error) => hasCode(error, 'ARTIFACT_NOT_FOUND'),
    ),
  )
})

test('a replaced worker’s late result changes nothing, and the worker ends', async () => {
  const { job, began, end } = held<string>('long')
  await using place = await Workplace.open(job)
  const sweeper = await Hand.register(place.store)
  const worker = await place.work(place.crew([job.handler]))
  const { id } = await place.client.enqueue(job, {})
  await began
  await pass(place.clock, 2 * LEASE_MS, sweeper)
  const current = only(await sweeper.sweep())
  end.resolve('late')
  await worker.closed
  assert(
    place.errors.some((error) => error instanceof Error && /lost its lease/.test(error.message)),
  )
  assert.equal(await sweeper.settle(current, completed({ result: bytes('"current"') })), 'done')
  assert.equal(await place.watch.result(job, id), 'current')
})

test('an idle worker that was given up ends too', async () => {
  await using place = await Workplace.open()
  const worker = await place.work(place.crew([]))
  await place.store.retire(worker.id)
  await worker.closed
})

for (const cut of ['before', 'after'] as const) {
  test(`a claim whose line is cut ${cut} it arrives is repeated, and runs nothing twice`, async () => {
    let runs = 0
    const job = defineJob({ name: 'once', input, run: () => ++runs })
    await using place = await Workplace.open(job)
    const line = new Cuttable(place.store)
    place.store = line.store
    const { id } = await place.client.enqueue(job, {})
    line.cut('exchange', cut)
    await place.work(place.crew([job.handler]))
    const { state, failures, losses } = await place.ended(id)
    assert.deepEqual([state, failures, losses, runs], ['completed', 0, 0, 1])
    assert.equal(place.errors.length, 1)
  })

  test(`a settlement whose line is cut ${cut} it arrives is repeated, and counts once`, async () => {
    let runs = 0
    const { promise: place$, resolve } = Promise.withResolvers<Cuttable>()
    const job = defineJob({
      name: 'once',
      input,
      run: async () => {
        runs++
        ;(await place$).cut('exchange', cut)
      },
    })
    await using place = await Workplace.open(job)
    const line = new Cuttable(place.store)
    place.store = line.store
    resolve(line)
    await place.work(place.crew([job.handler]))
    const { id } = await place.client.enqueue(job, {})
    const { state, failures } = await place.ended(id)
    assert.deepEqual([state, failures, runs], ['completed', 0, 1])
    await until(place.store, async () => place.errors.length > 0)
    assert.deepEqual(await place.store.verify(), [])
  })
}

test('what a worker says of itself is seen while it lives', async () => {
  await using place = await Workplace.open(double)
  const worker = await place.work(place.crew([double.handler], 3), { queues: ['default'] })
  const shown = only(await place.watch.workers())
  assert.deepEqual([shown.id, shown.alive, shown.pid], [worker.id, true, process.pid])
  assert.deepEqual([shown.concurrency, shown.processes, shown.queues], [3, 0, ['default']])
  await worker.stop()
  assert.equal((await place.watch.workers())[0]?.alive, false)
})

test('a worker serves every queue, or those it is told in their order', async () => {
  await using place = await Workplace.open(double)
  const ids: string[] = []
  for (const queue of ['a', 'b', 'c'])
    ids.push((await place.client.enqueue(double, 1, { queue })).id)
  const picky = await place.work(place.crew([double.handler]), { queues: ['c'] })
  await place.ended(ids[2] ?? '')
  assert.equal((await seen(place.store, ids[0] ?? '')).state, 'ready')
  await picky.stop()
  await place.work(place.crew([double.handler]))
  for (const id of ids) assert.equal((await place.ended(id)).state, 'completed')
})

test('what is kept too long is erased, files first', async () => {
  const leave = defineJob({
    name: 'leave',
    input,
    run: (_, { artifact }) => artifact('a.txt', 'x', { keep: '2d' }),
  })
  await using place = await Workplace.open(leave)
  await place.work(place.crew([leave.handler]), { sweepMs: 5 })
  const { id } = await place.client.enqueue(leave, {})
  const { fence } = only((await place.ended(id)).artifacts)
  place.clock.advance(2 * DAY + SECOND)
  await until(place.store, async () => (await place.store.find([id]))[0] === undefined)
  await assert.rejects(place.files.read({ id, fence, file: 'a.txt' }), {
    code: 'ARTIFACT_NOT_FOUND',
  })
})

test('a hundred short jobs share few trips', async () => {
  await using place = await Workplace.open(double)
  const { store, calls } = counting(place.store)
  place.store = store
  const enqueued = await place.client.enqueueMany(
    double,
    Array.from({ length: 100 }, (_, i) => i),
  )
  await place.work(place.crew([double.handler], 50))
  for (const { id } of enqueued) await place.ended(id)
  assert((calls.get('exchange') ?? 0) <= 10, `${calls.get('exchange')} exchanges`)
})
