import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { test } from 'node:test'
import { z } from 'zod'
import { defineJob } from '../../src/job/define.ts'
import { open } from '../../src/open.ts'
import { Installation } from '../support/command.ts'
import { Hand } from '../support/hand.ts'
import { bytes, chores, failed } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'

const plain = defineJob({ name: 'plain', input: anything() })
const Listed = z.object({ data: z.array(z.object({ id: z.string() }).loose()) })
const Written = z.object({ data: z.array(z.object({ act: z.string() }).loose()) })

/** A folder in which so many jobs failed. */
async function broken(count: number): Promise<Installation> {
  const here = new Installation()
  await using errand = await open(`sqlite:${here.folder}/errand.db`)
  const { store } = errand
  const hand = await Hand.register(store)
  await store.insert(chores(count))
  for (const message of ['first', 'last']) {
    const error = bytes(JSON.stringify({ name: 'Error', message }))
    await hand.settleAll(await hand.claim(count), failed({ error }))
    if (message === 'first')
      await store.retry((await store.list({}, count)).jobs.map((job) => job.id))
  }
  await store.retire(hand.id)
  return here
}

test('dead letters are listed with what went wrong first and last, retried and discarded', async () => {
  await using here = await broken(3)
  const { data } = Listed.parse(here.ask('dead').said)
  const [one, other] = data
  assert.equal(data.length, 3)
  assert.match(JSON.stringify(one), /"message":"last".*"message":"first"/)
  const input = '{"better":true}'
  assert.equal(
    here.ask('dead', 'retry', one?.id ?? '', '--input', input, '--note', 'mended').code,
    0,
  )
  assert.equal(here.ask('dead', 'discard', other?.id ?? '', '--note', 'a test').code, 0)
  const rest = here.ask('dead', 'discard', '--queue', 'default', '--note', 'all others').said
  assert.deepEqual(rest, { dryRun: false, matched: 1, done: 1, refused: {} })
  assert.deepEqual(here.ask('dead').said, { data: [] })

  const written = Written.parse(here.ask('audit').said).data
  assert.deepEqual(
    written.map(({ act, person, from, note }) => [act, person, from, note]),
    [
      ['discard', userInfo().username, 'cli', 'all others'],
      ['discard', userInfo().username, 'cli', 'a test'],
      ['retry', userInfo().username, 'cli', 'mended'],
    ],
  )
  assert.match(here.say('audit').stdout, /discard.*a test/)
  const proved = here.say('audit', '--verify')
  const [, head = ''] = /--verify (\d+:\S+)/.exec(proved.stdout) ?? []
  assert.deepEqual([proved.status, here.say('audit', '--verify', head).status], [0, 0])
  const astray = here.say('audit', '--verify', `${head}x`)
  assert.deepEqual([astray.status, /entry \d+ is missing/.test(astray.stdout)], [1, true])
})

test('who saw to a batch or a schedule on the command line is written down, and why', async () => {
  await using here = new Installation()
  const errand = await open(`sqlite:${here.folder}/errand.db`, { jobs: [plain] })
  const { id } = await errand.enqueueBatch(plain, [1])
  await errand.schedules.put('daily', plain, 1, { every: '1d' })
  await errand[Symbol.asyncDispose]()
  const why = ['--note', 'as agreed'] as const
  for (const act of ['cancel', 'retry']) here.ask('batches', id, `--${act}`, ...why)
  for (const act of ['pause', 'resume', 'run', 'remove'])
    here.ask('schedules', act, 'daily', ...why)
  assert.deepEqual(
    Written.parse(here.ask('audit').said).data.map(({ act, note }) => [act, note]),
    ['remove', 'run', 'resume', 'pause', 'retry', 'cancel'].map((act) => [act, 'as agreed']),
  )
  assert.match(here.say('audit').stdout, new RegExp(`run +daily +as agreed[^]*cancel +${id}`))
})

test('a filter on the command line acts on all that fit, once a dry run has counted them', async () => {
  await using here = await broken(120)
  assert.match(
    here.say('retry', '--reason', 'error', '--dry-run').stdout,
    /120 jobs would be retried/,
  )
  assert.match(here.say('retry', '--reason', 'error').stdout, /120 jobs retried/)
  assert.match(here.say('cancel', '--state', 'ready').stdout, /120 jobs cancelled/)
  assert.equal(here.ask('verify').code, 0)
})

test('an input is for one job, and a nested command knows its own flags', async () => {
  await using here = new Installation()
  assert.equal(here.say('dead', 'retry', '--queue', 'a', '--input', '1').status, 2)
  assert.equal(here.say('dead', 'discard').status, 2)
  assert.equal(here.say('dead', 'nonsense').status, 2)
})
