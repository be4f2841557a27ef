import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../src/job/context.ts'
import { Hold } from '../../src/job/control.ts'
import { defineJob } from '../../src/job/define.ts'
import { readFailure } from '../../src/job/failure.ts'
import { defineLimit } from '../../src/job/rate.ts'
import { InlineCrew } from '../../src/worker/inline.ts'
import { Cuttable } from '../support/cuttable.ts'
import { seen } from '../support/hand.ts'
import { bytes, HOUR, SECOND } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { eventually } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

type Run = (input: unknown, context: Context) => unknown

const LIMITS = [defineLimit('llm', { rate: '2/m' }), defineLimit('mail', { rate: '2/m' })]
const MINUTE = 61 * SECOND

/** A worker for one job, whose handlers may take from limits, over a line that can be cut. */
async function begin(run: Run, over: object = {}) {
  const job = defineJob({ name: 'chore', input: anything(), attempts: 2, run, ...over })
  const place = await Workplace.open(job)
  const line = new Cuttable(place.store)
  place.store = line.store
  const crew = () => {
    const tools = { files: place.files, resources: undefined, scratch: place.folder }
    return new InlineCrew([job.handler], { ...tools, limits: LIMITS }, 20)
  }
  const worker = await place.work(crew())
  const trips = () => line.arrived.filter((verb) => verb === 'take').length
  return {
    place,
    line,
    trips,
    crew,
    worker,
    enqueue: (input: unknown = {}) => place.client.enqueue(job, input),
  }
}

const messageOf = ({ error }: { error?: Uint8Array }) => readFailure(error ?? bytes('{}')).message
/** A worker's idea of the store's clock is a little off. */
const isAbout = (moment = 0, expected = 0) => Math.abs(moment - expected) < SECOND
/** Once so many calls were made: how many were. */
const passing = (made: unknown[], count: number) =>
  eventually(() => made.length >= count && made.length)

test('so many calls are made at once, by all workers, and the next when the span is over', async () => {
  const made: unknown[] = []
  const { place, crew, enqueue } = await begin(async (input, { take }) => {
    await take('llm')
    made.push(input)
  })
  await using _ = place
  await place.work(crew())
  const ids = await Promise.all([1, 2, 3, 4].map((input) => enqueue(input)))
  assert.equal(await passing(made, 2), 2)
  place.clock.advance(SECOND)
  assert.equal(made.length, 2)
  place.clock.advance(MINUTE)
  for (const { id } of ids) assert.equal((await place.ended(id)).state, 'completed')
  assert.equal(made.length, 4)
})

test('those who ask in one worker pass in their order, many at once together', async () => {
  const made: string[] = []
  const { place, enqueue } = await begin((_, { take }) =>
    Promise.all([
      take('llm').then(() => made.push('one')),
      take('llm', 2).then(() => made.push('two')),
      take('llm').then(() => made.push('last')),
      take('mail').then(() => made.push('mail')),
    ]),
  )
  await using _ = place
  const { id } = await enqueue()
  await passing(made, 2)
  assert.deepEqual(made.toSorted(), ['mail', 'one'])
  place.clock.advance(MINUTE)
  await passing(made, 3)
  assert.equal(made[2], 'two')
  place.clock.advance(MINUTE)
  assert.equal((await place.ended(id)).state, 'completed')
  assert.equal(made[3], 'last')
})

test('all takes of a turn are one trip, and jobs that take nothing make none', async () => {
  const { place, trips, enqueue } = await begin((input, { take }) =>
    input === 'none'
      ? undefined
      : Promise.all([take('llm'), take('mail'), take('llm'), take('mail')]).then(() => 'made'),
  )
  await using _ = place
  const none = await enqueue('none')
  await place.ended(none.id)
  assert.equal(trips(), 0)
  const { id } = await enqueue()
  assert.equal((await place.ended(id)).state, 'completed')
  assert.equal(trips(), 1)
})

/** A job that waits for a call that nobody may make, and what its handler hears of that. */
async function beginInVain(over: object = {}) {
  const heard: unknown[] = []
  const waitInVain: Run = (_, { take }) =>
    take('llm').catch((error: unknown) => {
      heard.push(error instanceof Error && error.name)
      throw error
    })
  const { place, trips, enqueue } = await begin(waitInVain, over)
  await place.store.hold('llm', HOUR)
  const { id } = await enqueue()
  await eventually(() => trips() > 0)
  return { place, id, heard }
}

test('the time limit ends the wait for a call', async () => {
  const { place, id, heard } = await beginInVain({ timeout: { soft: 30, retry: false } })
  await using _ = place
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.reason, heard], ['failed', 'timeout', ['TimeoutError']])
})

test('a cancel ends the wait for a call', async () => {
  const { place, id, heard } = await beginInVain()
  await using _ = place
  assert.equal(await place.client.cancel(id), 'asked')
  assert.deepEqual([(await place.ended(id)).state, heard], ['cancelled', ['AbortError']])
})

test('a handler that holds a limit closes it for all, and runs again uncounted when it is open', async () => {
  const runs: number[] = []
  const { place, worker, enqueue } = await begin(async (input, { take, attempt }) => {
    if (input === 'other') return take('llm')
    runs.push(attempt)
    if (runs.length === 1) throw new Hold('llm', '1h', { cause: new Error('429') })
  })
  await using _ = place
  const { id } = await enqueue()
  const row = await place.reaches(id, 'waiting')
  assert.deepEqual([row.waitingFor, row.failures, row.crashes, row.losses], ['limit:llm', 0, 0, 0])
  assert.deepEqual(await place.store.attempts(id), [])
  assert(isAbout((await place.store.rates())[0]?.closedUntil, row.wakesAt))
  const { id: other } = await enqueue('other')
  place.clock.advance(HOUR - SECOND)
  assert.equal((await seen(place.store, other)).endedAt, undefined)
  place.clock.advance(2 * SECOND)
  assert.equal((await place.ended(id)).state, 'completed')
  assert.equal((await place.ended(other)).state, 'completed')
  assert.deepEqual(runs, [1, 1])
  await worker.stop()
  const timed = /"value":(\d+),"metricName":"errand_run_seconds_count"/
  const said = JSON.stringify(await place.watch.metrics())
  assert.equal(timed.exec(said)?.[1], '2', said)
})

test('a job given back because of a limit ends at its deadline', async () => {
  const { place } = await begin(() => {
    throw new Hold('llm', '1h')
  })
  await using _ = place
  const { id } = await place.client.enqueue('chore', {}, { deadline: '10m' })
  await place.reaches(id, 'waiting')
  place.clock.advance(HOUR)
  const ended = await place.ended(id)
  assert.deepEqual([ended.state, ended.reason], ['failed', 'timeout'])
})

test('a limit that nobody defined fails the job at once, and names the nearest', async () => {
  const wrongs: Run[] = [
    async (_, { take }) => take('lm'),
    () => {
      throw new Hold('lm', '1s')
    },
  ]
  for (const run of wrongs) {
    const { place, enqueue } = await begin(run)
    await using _ = place
    const ended = await place.ended((await enqueue()).id)
    assert.deepEqual([ended.state, ended.failures], ['failed', 1])
    assert.match(messageOf(ended), /no limit is named lm; did you mean llm\?/)
  }
})

test('a store that is away for a moment is asked again, and has a limit closed before its job is given back', async () => {
  const { place, line, enqueue } = await begin(async (_, { take }) => {
    await take('llm')
    throw new Hold('llm', '1h')
  })
  await using _ = place
  line.cut('take', 'before')
  line.cut('hold', 'before')
  line.cut('hold', 'after')
  const { id } = await enqueue()
  const row = await place.reaches(id, 'waiting')
  assert.equal(place.errors.length, 3)
  assert(isAbout((await place.store.rates())[0]?.closedUntil, row.wakesAt))
  const said = line.arrived.filter((verb) => verb === 'hold' || verb === 'exchange')
  assert(said.lastIndexOf('hold') < said.lastIndexOf('exchange'))
})

test('more at once than a limit counts are refused', async () => {
  const { place, enqueue } = await begin(async (_, { take }) => take('llm', 3), { attempts: 1 })
  await using _ = place
  const ended = await place.ended((await enqueue()).id)
  assert.match(messageOf(ended), /the option n needs a whole number from 1 to 2/)
})
