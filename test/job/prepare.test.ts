import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derivedId, isId, newId } from '../../src/base/id.ts'
import { decodeJson } from '../../src/base/json.ts'
import { defineJob } from '../../src/job/define.ts'
import { type Code, ErrandError } from '../../src/job/errors.ts'
import { readPolicy } from '../../src/job/policy.ts'
import { type EnqueueOptions, prepare } from '../../src/job/prepare.ts'
import { DAY, HOUR } from '../support/jobs.ts'
import { anything, guarded } from '../support/schema.ts'

const chore = defineJob({ name: 'chore', input: anything() })
const make = async (options: object = {}, input: unknown = {}) => prepare(chore, input, options)

const REFUSED: [string, object, Code, RegExp?][] = [
  ['a misspelt option', { qeue: 'a' }, 'UNKNOWN_OPTION', /did you mean queue\?/],
  ['an option of definitions', { attempts: 2 }, 'UNKNOWN_OPTION', /attempts$/],
  ['an id that is no UUID', { id: 'order-1' }, 'INVALID_OPTION', /id needs a UUID/],
  ['a queue with a space', { queue: 'a b' }, 'INVALID_OPTION', /queue/],
  ['an empty queue', { queue: '' }, 'INVALID_OPTION', /queue/],
  ['a negative priority', { priority: -1 }, 'INVALID_OPTION', /priority/],
  ['a day without a time', { runAt: '2026-11-21' }, 'INVALID_OPTION', /runAt/],
  ['a time without a zone', { runAt: '2026-11-21T02:00:00' }, 'INVALID_OPTION', /runAt/],
  ['no date', { runAt: new Date(Number.NaN) }, 'INVALID_OPTION', /runAt/],
  ['a number for a moment', { runAt: 5 }, 'INVALID_OPTION', /runAt/],
  ['two years ahead', { runAt: new Date(Date.now() + 730 * DAY) }, 'INVALID_OPTION', /a year/],
  ['a delay of two years', { delay: '730d' }, 'INVALID_OPTION', /delay/],
  ['a negative delay', { delay: -1 }, 'INVALID_OPTION', /delay/],
  ['an empty unique', { unique: '' }, 'INVALID_OPTION', /unique/],
  ['a unique of 256 letters', { unique: 'u'.repeat(256) }, 'INVALID_OPTION', /unique/],
  ['a unique of two lines', { unique: 'a\nb' }, 'INVALID_OPTION', /unique/],
  ['11 tags', { tags: Array.from({ length: 11 }, String) }, 'INVALID_OPTION', /tags/],
  ['a tag of 101 letters', { tags: ['t'.repeat(101)] }, 'INVALID_OPTION', /tags/],
  ['an empty tag', { tags: [''] }, 'INVALID_OPTION', /tags/],
  ['an end before the start', { expiresIn: 'never' }, 'INVALID_OPTION', /expiresIn/],
  ['a deadline of two years', { deadline: '730d' }, 'INVALID_OPTION', /deadline/],
]

const refusal =
  (code: Code, message = /./) =>
  (error: unknown) =>
    error instanceof ErrandError && error.code === code && message.test(error.message)

for (const [what, options, code, message] of REFUSED)
  test(`${what} is refused`, () => assert.rejects(make(options), refusal(code, message)))

test('a job is complete when it was prepared', async () => {
  const { id, ...job } = await make({}, { a: 1 })
  assert(isId(id))
  const { policyBytes } = chore
  assert.deepEqual(job, {
    job: 'chore',
    queue: 'default',
    tenant: '',
    priority: 5,
    input: Buffer.from('{"a":1}'),
    policy: policyBytes,
  })
})

test('each option is written down', async () => {
  const id = newId().toUpperCase()
  const options: EnqueueOptions = {
    id,
    queue: 'mail',
    priority: 'low',
    tenant: 'acme',
    delay: '1m',
  }
  const more: EnqueueOptions = {
    unique: 'u',
    tags: ['a', 'b', 'a'],
    expiresIn: '2m',
    deadline: '3m',
  }
  const { fingerprint, input: _, policy: __, ...job } = await make({ ...options, ...more })
  assert.equal(typeof fingerprint, 'string')
  assert.deepEqual(job, {
    id: id.toLowerCase(),
    job: 'chore',
    queue: 'mail',
    tenant: 'acme',
    priority: 8,
    delayMs: 60_000,
    expiresInMs: 120_000,
    deadlineMs: 180_000,
    unique: { value: 'u', until: 'end', onConflict: 'join' },
    tags: ['a', 'b'],
  })
})

test('a moment may be a date, an instant or a text with a zone', async () => {
  const at = Date.now() + HOUR
  const instant = Temporal.Instant.fromEpochMilliseconds(at)
  const forms = [new Date(at), instant, new Date(at).toISOString(), instant.toString()]
  const perth = instant.toString({ timeZone: 'Australia/Perth' })
  for (const runAt of [...forms, perth]) assert.equal((await make({ runAt })).runAt, at)
  assert.equal((await make({ runAt: '1960-01-01T00:00:00Z' })).runAt, 0)
})

test('an input that could not be stored is refused with its place', async () => {
  await assert.rejects(make({}, { a: [1n] }), refusal('UNSTORABLE_INPUT', /not_json at "\/a\/0"/))
  assert.throws(() => prepare(chore, undefined), refusal('UNSTORABLE_INPUT'))
  const once: unknown = { toJSON: () => undefined }
  await assert.rejects(make({}, once), refusal('UNSTORABLE_INPUT'))
})

test('256 KiB of input are accepted, and not a byte more', async () => {
  const { input } = await make({}, 'x'.repeat(262_142))
  assert.equal(input.length, 262_144)
  await assert.rejects(make({}, 'x'.repeat(262_143)), refusal('INPUT_TOO_LARGE', /262145/))
})

test('a definition may take larger inputs, of more members', async () => {
  const many = defineJob({ name: 'many', input: anything(), inputMax: 1_048_576 })
  const rows = Array.from({ length: 20_000 }, (_, i) => i)
  assert.equal((await prepare(many, rows)).input.length, JSON.stringify(rows).length)
  await assert.rejects(
    async () => prepare(many, 'x'.repeat(1_048_575)),
    refusal('INPUT_TOO_LARGE', /at most 1048576|1048577/),
  )
  assert.throws(
    () => defineJob({ name: 'all', input: anything(), inputMax: 8_388_609 }),
    refusal('INVALID_OPTION'),
  )
})

test('an input that does not fit its schema names every place', async () => {
  const schema = guarded((value) => typeof value === 'string', ['items', 0, 'a/b'])
  const picky = defineJob({ name: 'picky', input: schema })
  await assert.rejects(
    async () => prepare(picky, 1),
    (error) => {
      assert(error instanceof ErrandError && error.code === 'INVALID_INPUT')
      const issue = { pointer: '/items/0/a~1b', code: 'invalid', detail: 'does not fit' }
      assert.deepEqual(error.issues, [issue])
      return true
    },
  )
})

test('the input is stored as given, though its schema transforms it', async () => {
  const doubled = {
    '~standard': { version: 1, vendor: 'test', validate: () => ({ value: 2 }) },
  } as const
  const { input } = await prepare(defineJob({ name: 'double', input: doubled }), 1)
  assert.equal(decodeJson(input), 1)
})

test('a definition’s unique value is read from the input, and one said aloud wins', async () => {
  const by = (input: unknown) => `by ${String(input)}`
  const only = defineJob({
    name: 'only',
    input: anything(),
    unique: { by, until: 'kept', onConflict: 'refuse' },
  })
  const { unique } = await prepare(only, 7)
  assert.deepEqual(unique, { value: 'by 7', until: 'kept', onConflict: 'refuse' })
  assert.equal((await prepare(only, 7, { unique: 'mine' })).unique?.value, 'mine')
})

test('the same request under one id has the same fingerprint, another has not', async () => {
  const id = newId()
  const one = await make({ id, queue: 'a', tags: ['x'] }, { n: 1 })
  const again = await make({ tags: ['x'], queue: 'a', id: id.toUpperCase() }, { n: 1 })
  assert.equal(one.fingerprint, again.fingerprint)
  const others = [
    await make({ id, queue: 'a', tags: ['x'] }, { n: 2 }),
    await make({ id, queue: 'b', tags: ['x'] }, { n: 1 }),
    await make({ id, queue: 'a', tags: ['y'] }, { n: 1 }),
    await make({ id }, { n: 1 }),
  ]
  for (const other of others) assert.notEqual(other.fingerprint, one.fingerprint)
})

test('requests that say other limits are not the same', async () => {
  const id = newId()
  const [one, two] = await Promise.all(
    [1, 2].map((running) => make({ id, limits: [{ key: 'a', running }] })),
  )
  assert.notEqual(one?.fingerprint, two?.fingerprint)
})

test('a job without an id of the caller’s carries no fingerprint', async () => {
  assert.equal((await make()).fingerprint, undefined)
})

test('a request with a key always gets the id of that key, and is kept for a day', async () => {
  const key = { route: 'POST /v1/jobs', key: 'k' }
  const job = await prepare(chore, {}, { tenant: 'acme' }, key)
  assert.equal(job.id, derivedId('acme', key.route, key.key))
  assert.equal(readPolicy(job.policy).keepAtLeastMs, DAY)
  assert.notEqual((await prepare(chore, {}, { tenant: 'other' }, key)).id, job.id)
})
