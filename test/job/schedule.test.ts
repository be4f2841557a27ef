import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextCron } from '../../src/cron.ts'
import { defineJob } from '../../src/job/define.ts'
import { ErrandError, type Code } from '../../src/job/errors.ts'
import { putOn } from '../../src/job/firing.ts'
import {
  decodeSchedule,
  encodeSchedule,
  idOf,
  jobOf,
  type Plan,
  planSchedule,
  type ScheduleOptions,
  setOf,
} from '../../src/job/schedule.ts'
import { Keyring } from '../../src/job/seal.ts'
import { unseal } from '../../src/job/sealing.ts'
import { textOf } from '../support/jobs.ts'
import { anything, guarded } from '../support/schema.ts'

const chore = defineJob({ name: 'chore', input: anything(), attempts: 2, queue: 'night' })
const secret = defineJob({ name: 'secret', input: anything(), data: 'sealed' })
const keys = Keyring.read(`a:${Buffer.alloc(32, 1).toString('base64')}`)
const means = { zone: 'UTC', next: nextCron }

const plan = (options: ScheduleOptions, input: unknown = { n: 1 }, definition = chore) =>
  planSchedule({ name: 'nightly', definition, input, options }, { ...means, keys })

const refuses = (options: ScheduleOptions, code: Code, input?: unknown) =>
  assert.rejects(
    plan(options, input),
    (error) => error instanceof ErrandError && error.code === code,
    JSON.stringify(options),
  )

test('a firing is a job as an enqueue would have made it, with a tag and an id of its moment', async () => {
  const { key, terms, print } = await plan({
    every: '1h',
    tenant: 'acme',
    priority: 'high',
    tags: ['red'],
    deadline: '2h',
  })
  const standing = putOn(undefined, { key, terms, print }, 0, nextCron)
  const kept = decodeSchedule(encodeSchedule(standing.schedule))
  assert(kept)
  const job = jobOf(key, kept, idOf(key, 3_600_000))
  assert.equal(key, 'acme/nightly')
  assert.deepEqual(
    { ...job, input: textOf(job.input), policy: textOf(job.policy) },
    {
      id: idOf('acme/nightly', 3_600_000),
      job: 'chore',
      queue: 'night',
      tenant: 'acme',
      priority: 2,
      input: '{"n":1}',
      policy: '{"attempts":2}',
      deadlineMs: 7_200_000,
      tags: ['red', 'schedule:nightly'],
    },
  )
  assert.notEqual(idOf('acme/nightly', 1), idOf('nightly', 1))
})

test('what cannot be fired is refused at once', async () => {
  await refuses({ cron: '0 0 31 2 *' }, 'CRON_NEVER_FIRES')
  await refuses({ every: '1h', missed: 'skip', missedWithin: '1h' }, 'INVALID_OPTION')
  await refuses({ every: '1s', missed: 'all', missedWithin: '1h' }, 'INVALID_OPTION')
  await refuses({ every: '1h' }, 'INPUT_TOO_LARGE', 'x'.repeat(40_000))
  await refuses({ every: '1h' }, 'UNSTORABLE_INPUT', new Map())
  const unknown = { every: '1h', delay: '1h' } as const
  await refuses(unknown, 'UNKNOWN_OPTION')
  const picky = defineJob({ name: 'picky', input: guarded((value) => value === 1) })
  const asked = { name: 'x', definition: picky, input: 2, options: { every: '1h' } as const }
  await assert.rejects(async () => planSchedule(asked, means), /does not fit the schema/)
  for (const name of ['', 'Caps', 'a/b', 'x'.repeat(91)])
    await assert.rejects(async () => planSchedule({ ...asked, name, input: 1 }, means), /name/)
})

test('the same words have the same print, others have another', async () => {
  const prints = await Promise.all([
    plan({ every: '1h' }),
    plan({ every: '60m' }),
    plan({ every: '2h' }),
    plan({ every: '1h' }, { n: 2 }),
    plan({ every: '1h', priority: 1 }),
    plan({ every: '1h' }, { n: 1 }, secret),
    plan({ every: '1h' }, { n: 1 }, secret),
  ])
  const [first, second, ...others] = prints.map(({ print }) => print)
  assert.equal(first, second)
  assert.equal(new Set([first, ...others]).size, 5)
  const set = (plans: readonly Plan[]) => setOf({ app: '/', plans })
  assert.equal(set(prints.slice(0, 3)), set(prints.slice(0, 3).toReversed()))
  assert.notEqual(set(prints.slice(0, 2)), set(prints.slice(1, 3)))
})

test('a private input rests sealed, and each firing has a seal of its own', async () => {
  const { key, terms, print } = await plan({ every: '1h' }, { n: 'canary' }, secret)
  const { schedule } = putOn(undefined, { key, terms, print }, 0, nextCron)
  assert(!JSON.stringify(schedule).includes(Buffer.from('canary').toString('base64').slice(0, 6)))
  const [one, two] = [1, 2].map((at) => jobOf(key, schedule, idOf(key, at), keys))
  assert(one && two)
  assert.equal(textOf(unseal(one.input, one, 'input', keys)), '{"n":"canary"}')
  assert.throws(() => unseal(one.input, two, 'input', keys), /cannot be opened/)
  assert.throws(() => jobOf(key, schedule, idOf(key, 1)), /needs keys/)
  // Who has the store and not the keys could else try inputs until one has this print.
  const others = Keyring.read(`b:${Buffer.alloc(32, 2).toString('base64')}`)
  const asked = { name: 'nightly', definition: secret, input: { n: 'canary' } }
  const options = { every: '1h' } as const
  const other = await planSchedule({ ...asked, options }, { ...means, keys: others })
  assert.notEqual(other.print, print)
})
