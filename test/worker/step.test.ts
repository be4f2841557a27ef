import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isId } from '../../src/base/id.ts'
import type { Context } from '../../src/job/context.ts'
import { defineJob } from '../../src/job/define.ts'
import { FatalError } from '../../src/job/control.ts'
import { readFailure } from '../../src/job/failure.ts'
import { runInline } from '../../src/worker/alone.ts'
import { Hand, LEASE_MS, pass } from '../support/hand.ts'
import { bytes, SECOND } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { until } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'

const define = (run: (input: unknown, context: Context) => unknown) =>
  defineJob({ name: 'chain', input: anything(), attempts: 3, run })

/** What a failed job says of its error. */
async function messageOf(place: Workplace, id: string): Promise<string> {
  return readFailure((await place.ended(id)).error ?? bytes('{}')).message
}

test('a recorded step is not run again, and gives what it came to', async () => {
  const ran: string[] = []
  const chain = define(async (_, { step, attempt }) => {
    const first = await step('first', () => ran.push('first') && { summary: 'short' })
    const nothing = await step('nothing', () => void ran.push('nothing'))
    if (attempt === 1) throw new Error('broken')
    return [first, nothing ?? null, await step('last', () => ran.push('last'))]
  })
  await using place = await Workplace.open(chain)
  await place.work(place.crew([chain.handler]))
  const { id } = await place.client.enqueue(chain, {})
  await place.reaches(id, 'scheduled')
  place.clock.advance(60 * SECOND)
  assert.deepEqual(await place.watch.result(chain, id), [{ summary: 'short' }, null, 3])
  assert.deepEqual(ran, ['first', 'nothing', 'last'])
  const steps = await place.watch.steps(id)
  assert.deepEqual(
    steps.map(({ name, value }) => [name, value]),
    [
      ['first', { summary: 'short' }],
      ['nothing', undefined],
      ['last', 3],
    ],
  )
})

test('a step asks under another key once its job was given another input', async () => {
  const keys: string[] = []
  const chain = define(async (_, { step }) =>
    step('pay', (key) => {
      keys.push(key)
      throw new FatalError('refused')
    }),
  )
  await using place = await Workplace.open(chain)
  await place.work(place.crew([chain.handler]))
  const { id } = await place.client.enqueue(chain, { amount: 1 })
  for (const input of [undefined, { amount: 2 }]) {
    await place.ended(id)
    await place.client.retry(id, { ...(input && { input }) })
  }
  await place.ended(id)
  assert.equal(keys[0], keys[1])
  assert.notEqual(keys[1], keys[2])
})

test('a step that throws is run again, under the same key', async () => {
  const keys: string[] = []
  const chain = define(async (_, { step }) =>
    step('pay', (key) => {
      if (keys.push(key) === 1) throw new Error('cut off')
      return 'paid'
    }),
  )
  await using place = await Workplace.open(chain)
  await place.work(place.crew([chain.handler]))
  const { id } = await place.client.enqueue(chain, {})
  await place.reaches(id, 'scheduled')
  place.clock.advance(60 * SECOND)
  assert.equal(await place.watch.result(chain, id), 'paid')
  assert(isId(keys[0] ?? '') && keys[0] === keys[1])
  assert.notEqual(keys[0], id)
})

test('the first run is given what later ones are', async () => {
  const chain = define(async (_, { step }) => typeof (await step('when', () => new Date(0))))
  await using place = await Workplace.open(chain)
  await place.work(place.crew([chain.handler]))
  const { id } = await place.client.enqueue(chain, {})
  assert.equal(await place.watch.result(chain, id), 'string')
})

test('a step has been stored when it resolves', async () => {
  const seen: string[][] = []
  const chain = define(async (_, { id, step }) => {
    await Promise.all([step('a', () => 1), step('b', () => 2)])
    seen.push((await place.store.steps(id)).map(({ name }) => name))
  })
  await using place = await Workplace.open(chain)
  await place.work(place.crew([chain.handler]))
  const { id } = await place.client.enqueue(chain, {})
  await place.ended(id)
  assert.deepEqual(seen, [['a', 'b']])
})

test('a name that is used twice in a run, and a value that cannot be kept, end the job', async () => {
  const wrongs: [string, Parameters<typeof define>[0], RegExp][] = [
    [
      'twice',
      async (_, { step }) => [await step('a', () => 1), await step('a', () => 2)],
      /before/,
    ],
    ['huge', (_, { step }) => step('a', () => 'x'.repeat(300_000)), /at most 262144/],
    ['odd', (_, { step }) => step('a', () => new Map()), /cannot be stored as JSON/],
    [
      'too much',
      async (_, { step }) => {
        for (let n = 0; ; n++) await step(`${n}`, () => randomBytes(150_000).toString('base64'))
      },
      /more than 1048576 bytes/,
    ],
    ['nameless', (_, { step }) => step('', () => 1), /needs a name/],
  ]
  for (const [what, run, says] of wrongs) {
    const chain = define(run)
    await using place = await Workplace.open(chain)
    await place.work(place.crew([chain.handler]))
    const { id } = await place.client.enqueue(chain, {})
    assert.equal((await place.ended(id)).state, 'failed', what)
    assert.match(await messageOf(place, id), says)
  }
})

test('a run that was overtaken records nothing, and its step does not resolve', async () => {
  const reached = Promise.withResolvers<void>()
  const blocked = Promise.withResolvers<number>()
  const ends: unknown[] = []
  const chain = define(async (_, { step }) => {
    const recorded = step('slow', () => (reached.resolve(), blocked.promise))
    ends.push(await recorded.catch((error: unknown) => error))
  })
  await using place = await Workplace.open(chain)
  await place.work(place.crew([chain.handler]), { renewMs: 600_000 })
  const { id } = await place.client.enqueue(chain, {})
  await reached.promise
  const other = await Hand.register(place.store)
  await pass(place.clock, 2 * LEASE_MS, other)
  await other.sweep()
  blocked.resolve(1)
  await until(place.store, async () => ends.length > 0)
  assert(ends[0] instanceof Error && ends[0].name === 'AbortError')
  assert.deepEqual(await place.store.steps(id), [])
})

test('run in the caller’s own time, steps are done and recorded nowhere', async () => {
  await using place = await Workplace.open()
  const chain = define(async (_, { step }) => step('a', (key) => isId(key)))
  const parts = { files: place.files, resources: undefined }
  assert.equal(await runInline(chain.handler, {}, parts), true)
})
