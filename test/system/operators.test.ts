import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { Installation } from '../support/command.ts'

const APP = { ERRAND_APP: join(import.meta.dirname, 'outside.app.ts'), ERRAND_LOG_LEVEL: 'info' }
const Checks = z.object({
  checks: z.array(z.object({ about: z.string(), is: z.string(), text: z.string() })),
})

test('a worker in a burst ends once all is done, and well', async () => {
  await using here = new Installation(APP)
  for (let i = 0; i < 5; i++) here.say('enqueue', 'numbers.add', `[${i},1]`)
  here.say('enqueue', 'numbers.add', '[1]', '--delay', '1h')
  assert.equal(await here.start('worker', '--burst', '--concurrency', '1').exit(), 0)
  const Counts = z.object({ totals: z.object({ completed: z.int(), scheduled: z.int() }) })
  const { totals } = Counts.parse(here.ask('info').said)
  assert.deepEqual([totals.completed, totals.scheduled], [5, 1])
})

test('what a worker is told by flags, its executors and the app know too', async () => {
  await using here = new Installation(APP)
  const worker = here.start('worker', '--release', 'v7', '--max-jobs', '500')
  await worker.said('worker started')
  const said = here.say('enqueue', 'settings.tell', '"ERRAND_RELEASE"', '--wait', '10s')
  assert.equal(said.stdout.trim(), '"v7"')
})

test('a canary comes through where a worker lives, and says why where none does', async () => {
  await using here = new Installation(APP)
  const lost = here.say('canary', '--wait', '200ms')
  assert.deepEqual([lost.status, /no worker is alive/.test(lost.stdout)], [1, true])
  await here.start('worker').said('worker started')
  const found = here.say('canary')
  assert.deepEqual([found.status, /came through default in \d+ ms/.test(found.stdout)], [0, true])
  assert.equal(here.say('verify').status, 0)
})

test('doctor asks what the app needs from outside, and is 1 when that cannot be had', async () => {
  await using here = new Installation(APP)
  here.say('migrate')
  const aboutApp = (said: unknown) =>
    Checks.parse(said).checks.filter(({ about }) => ['abacus', 'bank'].includes(about))
  const well = here.ask('doctor')
  assert.equal(well.code, 0)
  assert.deepEqual(
    aboutApp(well.said).map(({ is }) => is),
    ['well', 'well'],
  )
  await using closed = new Installation({ ...APP, BANK_IS_CLOSED: 'yes' })
  closed.say('migrate')
  const ill = closed.ask('doctor')
  assert.equal(ill.code, 1)
  assert.deepEqual(aboutApp(ill.said).at(-1), {
    about: 'bank',
    is: 'wrong',
    text: 'no answer from bank.example:443',
  })
})

test('doctor and the server say that sealed jobs are refused where no keys are given', async () => {
  const app = { ERRAND_APP: `${import.meta.dirname}/chores.app.ts` }
  const about = (said: unknown) => Checks.parse(said).checks.map(({ about }) => about)
  await using here = new Installation(app)
  assert.equal(about(here.ask('doctor').said).includes('keys'), true)
  await here.start('serve').said('jobs that rest sealed are refused until ERRAND_SEAL_KEYS is set')
  const ERRAND_SEAL_KEYS = `a:${Buffer.alloc(32, 7).toString('base64')}`
  await using keyed = new Installation({ ...app, ERRAND_SEAL_KEYS })
  assert.equal(about(keyed.ask('doctor').said).includes('keys'), false)
})

test('doctor warns of workers of another release or with other settings', async () => {
  await using here = new Installation({ ...APP, ERRAND_RELEASE: 'v2' })
  const worker = here.startWith({ ERRAND_RELEASE: 'v1', ERRAND_LEASE: '20s' }, 'worker')
  await worker.said('worker started')
  const other = here.say('doctor').stdout
  assert.match(other, /! +release +there are v2 and v1/)
  assert.match(other, /! +settings +worker \S+ has other settings/)
  assert.doesNotMatch(other, /the app of worker/)
  const Workers = z.array(z.object({ release: z.string(), settings: z.string() }))
  assert.equal(Workers.parse(here.ask('workers').said)[0]?.release, 'v1')
})

test('doctor warns of a worker whose app has other settings than here', async () => {
  await using here = new Installation({
    ERRAND_APP: `${import.meta.dirname}/chores.app.ts`,
    CHORES: 'few',
  })
  const same = here.startWith({}, 'worker')
  await same.said('worker started')
  assert.doesNotMatch(here.say('doctor').stdout, /other settings/)
  const other = here.startWith({ CHORES: 'many' }, 'worker')
  await other.said('worker started')
  const { stdout } = here.say('doctor')
  assert.match(stdout, /! +settings +the app of worker \S+ has other settings than here/)
  assert.doesNotMatch(stdout, /many|few/)
})
