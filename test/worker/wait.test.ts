import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Context } from '../../src/job/context.ts'
import { SignalTimeout } from '../../src/job/control.ts'
import { defineJob } from '../../src/job/define.ts'
import { readFailure } from '../../src/job/failure.ts'
import { runInline } from '../../src/worker/alone.ts'
import { seen } from '../support/hand.ts'
import { bytes, HOUR, SECOND } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { Workplace } from '../support/workplace.ts'

type Run = (input: unknown, context: Context) => unknown

/** A worker with one place, and one job that it runs until it waits or ends. */
async function begin(run: Run, over: object = {}, settled: 'waiting' | 'completed' = 'waiting') {
  const job = defineJob({ name: 'chore', input: anything(), attempts: 3, run, ...over })
  const place = await Workplace.open(job)
  await place.work(place.crew([job.handler], 1))
  const { id } = await place.client.enqueue(job, {})
  const row = await place.reaches(id, settled)
  return { place, id, row, job }
}
/** The hand clock stands still while a handler runs; what it counts from goes on. */
const isAbout = (moment: number | undefined, expected: number) =>
  moment !== undefined && Math.abs(moment - expected) < 20 * SECOND
const messageOf = ({ error }: { error?: Uint8Array }) => readFailure(error ?? bytes('{}')).message

test('a handler that sleeps holds no place, and goes on when its time has come', async () => {
  const runs: string[] = []
  const { place, id, row } = await begin(async (_input, { sleep, step, attempt }) => {
    runs.push(`run ${attempt}`)
    await step('before', () => runs.push('before'))
    await sleep('pause', '1h')
    return step('after', () => runs.push('after'))
  })
  await using _ = place
  assert.equal(row.waitingFor, 'sleep:pause')
  assert(isAbout(row.wakesAt, place.clock.now() + HOUR))
  // The only place is free.
  const { id: other } = await place.client.enqueue('chore', {})
  assert.equal((await place.reaches(other, 'waiting')).state, 'waiting')
  place.clock.advance(HOUR + SECOND)
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.failures], ['completed', 0])
  assert.deepEqual(
    runs.filter((_run, i) => i < 2),
    ['run 1', 'before'],
  )
  assert.equal(runs.filter((run) => run === 'before').length, 2)
})

test('a signal wakes a job that waits for it, and is given to its handler', async () => {
  const { place, id, row, job } = await begin((_, { waitFor }) =>
    waitFor('confirm', { schema: z.object({ by: z.string() }) }),
  )
  await using _ = place
  assert.equal(row.waitingFor, 'signal:confirm')
  assert.deepEqual(await place.client.signal(id, 'confirm', { by: 'Ada' }), { repeated: false })
  assert.deepEqual(await place.watch.result(job, id), { by: 'Ada' })
  assert.deepEqual(
    (await place.watch.signals(id)).map(({ name, value }) => [name, value]),
    [['confirm', { by: 'Ada' }]],
  )
})

test('a signal may come before anybody waits for it, and only the first is given', async () => {
  const job = defineJob({
    name: 'chore',
    input: anything(),
    run: async (_, { waitFor }) => [await waitFor('b'), await waitFor('a')],
  })
  await using place = await Workplace.open(job)
  const { id } = await place.client.enqueue(job, {})
  await place.client.signal(id, 'a', 1)
  await place.client.signal(id, 'b', 2, { key: 'mine' })
  assert.deepEqual(await place.client.signal(id, 'b', 3, { key: 'mine' }), { repeated: true })
  await place.client.signal(id, 'b', 4)
  await place.work(place.crew([job.handler]))
  assert.deepEqual(await place.watch.result(job, id), [2, 1])
})

test('who waits too long is told so, and may go on', async () => {
  const { place, id, row, job } = await begin(async (_, { waitFor }) =>
    waitFor('confirm', { timeout: '2d' }).catch((error: unknown) =>
      error instanceof SignalTimeout ? `no ${error.signal}` : error,
    ),
  )
  await using _ = place
  assert(isAbout(row.wakesAt, place.clock.now() + 48 * HOUR))
  place.clock.advance(49 * HOUR)
  assert.equal(await place.watch.result(job, id), 'no confirm')
})

test('a signal that nobody caught the lack of fails the job at once', async () => {
  const { place, id } = await begin((_, { waitFor }) => waitFor('confirm', { timeout: '1s' }))
  await using _ = place
  place.clock.advance(HOUR)
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.failures], ['failed', 1])
  assert.match(messageOf(ended), /no signal confirm came in time/)
})

test('a signal after its time is out is none, however late the job runs', async () => {
  const { place, id, job } = await begin((_, { waitFor }) =>
    waitFor('confirm', { timeout: '1s' }).catch(() => 'late'),
  )
  await using _ = place
  const worker = place.store
  place.clock.advance(HOUR)
  await worker.post([{ to: id, name: 'signal:confirm', key: '', value: bytes('1') }])
  assert.equal(await place.watch.result(job, id), 'late')
})

test('a job is set aside once all that it does is wait, and not before', async () => {
  const done = Promise.withResolvers<void>()
  const began = Promise.withResolvers<void>()
  const job = defineJob({
    name: 'chore',
    input: anything(),
    run: (_, { sleep, step }) =>
      Promise.all([
        sleep('pause', '1h'),
        step('slow', async () => {
          began.resolve()
          await done.promise
        }),
      ]),
  })
  await using place = await Workplace.open(job)
  await place.work(place.crew([job.handler]))
  const { id } = await place.client.enqueue(job, {})
  await began.promise
  assert.equal((await seen(place.store, id)).state, 'running')
  done.resolve()
  const row = await place.reaches(id, 'waiting')
  assert(isAbout(row.wakesAt, place.clock.now() + HOUR))
})

test('whichever of several waits comes first goes on', async () => {
  const { place, id, row, job } = await begin((_, { sleep, waitFor }) =>
    Promise.race([
      sleep('patience', '1h').then(() => 'nobody'),
      waitFor('yes').then(() => 'yes'),
      waitFor('no').then(() => 'no'),
    ]),
  )
  await using _ = place
  assert.equal(row.waitingFor, 'signal:yes, signal:no, sleep:patience')
  await place.client.signal(id, 'no')
  assert.equal(await place.watch.result(job, id), 'no')
})

test('a job that waits can be cancelled, and a deadline ends its wait', async () => {
  const cancelled = await begin((_, { waitFor }) => waitFor('never'))
  await using _ = cancelled.place
  assert.equal(await cancelled.place.client.cancel(cancelled.id), 'cancelled')

  const job = defineJob({
    name: 'chore',
    input: anything(),
    run: (_input, { waitFor }) => waitFor('never'),
  })
  await using place = await Workplace.open(job)
  await place.work(place.crew([job.handler]))
  const { id } = await place.client.enqueue(job, {}, { deadline: '1h' })
  await place.reaches(id, 'waiting')
  place.clock.advance(HOUR)
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.reason], ['failed', 'timeout'])
})

test('signals are refused where nobody would hear them', async () => {
  const { place, id } = await begin((_, { waitFor }) => waitFor('go'))
  await using _ = place
  const { client } = place
  await assert.rejects(client.signal(id, 'stop', 1, { ifWaiting: true }), { code: 'NOT_WAITING' })
  await client.signal(id, 'go', 1, { ifWaiting: true })
  await place.ended(id)
  await assert.rejects(client.signal(id, 'late'), { code: 'WRONG_STATE' })
  await assert.rejects(client.signal('01a21ec6-f63d-7001-89ba-b576dd4b3dbd', 'go'), {
    code: 'JOB_NOT_FOUND',
  })
  await assert.rejects(client.signal(id, ''), { code: 'INVALID_OPTION' })
})

test('what was sent must fit the schema, and a name is waited for once in a run', async () => {
  const wrongs: [Run, string, RegExp][] = [
    [(_, { waitFor }) => waitFor('go', { schema: z.string() }), 'invalid_input', /signal:go/],
    [async (_, { waitFor }) => [await waitFor('go'), await waitFor('go')], 'error', /before/],
  ]
  for (const [run, reason, says] of wrongs) {
    const { place, id } = await begin(run)
    await using _ = place
    await place.client.signal(id, 'go', 1)
    const ended = await place.ended(id)
    assert.deepEqual([ended.state, ended.reason], ['failed', reason])
    assert.match(messageOf(ended), says)
  }
})

test('files that were written before a wait would be lost: the job fails and says so', async () => {
  const { place, row } = await begin(
    async (_, { artifact, sleep }) => {
      await artifact('a.txt', 'a')
      await sleep('pause', '1s')
    },
    {},
    'completed',
  )
  await using _ = place
  assert.equal(row.state, 'failed')
  assert.match(messageOf(row), /write them after the last wait/)
})

test('who has run out of time is not saved by waiting', async () => {
  const { place, row } = await begin(
    async (_, { signal, sleep }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await sleep('pause', '1h')
    },
    { timeout: { soft: 20, retry: false } },
    'completed',
  )
  await using _ = place
  assert.deepEqual([row.state, row.reason], ['failed', 'timeout'])
})

test('a wait that is over beside one that is not holds nobody up', async () => {
  const { place, id, row } = await begin(async (_, { sleep, waitFor }) =>
    Promise.all([waitFor('go'), sleep('past', 0).then(() => 'past')]),
  )
  await using _ = place
  assert.match(row.waitingFor ?? '', /^signal:go/)
  await place.client.signal(id, 'go')
  place.clock.advance(SECOND)
  assert.equal((await place.ended(id)).state, 'completed')
})

test('run in place a handler sleeps where it is, and waits for nobody', async () => {
  await using place = await Workplace.open()
  const parts = { files: place.files, resources: undefined }
  const run = (work: Run) =>
    runInline(defineJob({ name: 'chore', input: anything(), run: work }).handler, {}, parts)
  assert.equal(await run(async (_, { sleep }) => sleep('a', 1).then(() => 'slept')), 'slept')
  await assert.rejects(
    run((_, { waitFor }) => waitFor('go')),
    { code: 'STEP_REFUSED' },
  )
})
