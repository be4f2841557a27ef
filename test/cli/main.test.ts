import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { open } from '../../src/open.ts'
import app, { greet } from './greet.app.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const APP = join(import.meta.dirname, 'greet.app.ts')
const NOBODY = '00000000-0000-4000-8000-000000000000'
const here = mkdtempSync(join(tmpdir(), 'errand-'))
after(() => rmSync(here, { recursive: true }))

type Options = { env?: Record<string, string>; input?: string; command?: string }

function errand(
  args: readonly string[],
  { env = {}, input = '', command = join(ROOT, 'bin/errand') }: Options = {},
) {
  const given = { PATH: process.env.PATH, ...env }
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: here,
    env: given,
    input,
    encoding: 'utf8',
  })
  return { status, stdout: stdout.trim(), stderr: stderr.trim() }
}

const enqueue = (...args: string[]) => errand(['enqueue', '--app', APP, ...args])

type Case = [args: string[], status: number, said: RegExp]

const cases: Record<string, Case> = {
  'asking for help is 0': [['--help'], 0, /^$/],
  'asking for the version is 0': [['--version'], 0, /^$/],
  'an unknown command is 2, and the nearest is named': [
    ['jbos'],
    2,
    /unknown command 'jbos'\s+\(Did you mean jobs\?\)/,
  ],
  'an unknown option is 2, and the nearest is named': [
    ['jobs', '--limi', '3'],
    2,
    /Did you mean --limit\?/,
  ],
  'a missing argument is 2': [['job'], 2, /missing required argument 'id'/],
  'an act on nothing is 2': [['retry'], 2, /needs a job, or one of --state/],
  'an act on jobs and on a filter is 2': [
    ['cancel', NOBODY, '--queue', 'a'],
    2,
    /cannot stand beside a filter/,
  ],
  'an option out of bounds is 2': [
    ['jobs', '--limit', '201'],
    2,
    /limit must|whole number from 1 to 200/,
  ],
  'a job that is not there is 3': [['job', NOBODY], 3, /no job has the id/],
  'what is no id is 3': [['job', 'x'], 3, /no job has the id/],
  'cancelling what is not there is 3': [['cancel', NOBODY], 3, /no job has the id/],
  'a limit that nobody used is 3': [['limits', 'open', 'llm'], 3, /no limit is named llm/],
  'a limit without its name is 2': [['limits', 'open'], 2, /option name is needed/],
  'a store that cannot be opened is 69': [
    ['queues', '--store', 'sqlite:/dev/null/errand.db'],
    69,
    /store cannot be reached/,
  ],
  'a damaged store is 74': [['queues', '--store', `sqlite:${APP}`], 74, /is damaged/],
  'a store of another kind is 78': [
    ['queues', '--store', 'mysql://me:pass@host'],
    78,
    /is not understood/,
  ],
  'an app that is not there is 78, with one to copy': [
    ['enqueue', 'greet'],
    78,
    /no app file at[^]*export default defineApp/,
  ],
  'a setting that makes no sense is 78': [
    ['start', '--port', 'x'],
    78,
    /--port needs a whole number/,
  ],
}

for (const [what, [args, status, said]] of Object.entries(cases))
  test(`the exit code of ${what}`, () => {
    const { status: left, stderr } = errand(args)
    assert.match(stderr, said)
    assert.doesNotMatch(stderr, /me:pass|\n {4}at /)
    assert.equal(left, status)
  })

test('an unknown variable of ours is 78 for every command, and its value is not told', () => {
  const { status, stderr } = errand(['info'], { env: { ERRAND_STROE: 'hush' } })
  assert.equal(status, 78)
  assert.match(stderr, /ERRAND_STROE is not known; did you mean ERRAND_STORE\?/)
  assert.doesNotMatch(stderr, /hush/)
})

test('an input is refused with the places that are wrong', () => {
  const { status, stderr } = enqueue('greet', '{"name":1}')
  assert.equal(status, 2)
  assert.match(stderr, /does not fit the schema of greet\n {2}\/name: /)
  assert.equal(enqueue('greet', '{').status, 2)
  assert.equal(enqueue('nothing').status, 3)
})

test('errors are JSON too when JSON was asked for', () => {
  const { stderr, stdout } = errand(['job', NOBODY, '--json'])
  assert.equal(stdout, '')
  assert.equal(JSON.parse(stderr).error.code, 'JOB_NOT_FOUND')
})

test('enqueue prints the id alone, and a repeat under an own id finds the first job', () => {
  const id = crypto.randomUUID()
  const flags = ['--id', id, '--tag', 'a', '--tag', 'b', '--delay', '1h', '--priority', 'high']
  assert.deepEqual(enqueue('greet', '{"name":"Ada"}', ...flags), {
    status: 0,
    stdout: id,
    stderr: '',
  })
  const again = enqueue('greet', '{"name":"Ada"}', ...flags, '--json')
  assert.deepEqual(JSON.parse(again.stdout), { id, joined: true })
  const view = JSON.parse(errand(['job', id.toUpperCase(), '--json']).stdout)
  assert.deepEqual([view.state, view.priority, view.tags], ['scheduled', 2, ['a', 'b']])
})

test('an input of - is read from standard input', () => {
  const args = ['enqueue', '--app', APP, 'greet', '-', '--delay', '1h']
  assert.equal(errand(args, { input: '{"name":"Ada"}' }).status, 0)
})

test('waiting prints the result, and is 1 when the job did not complete', async () => {
  await using house = await open(`sqlite:${join(here, '.errand/errand.db')}`, {
    files: `file:${here}/files`,
  })
  const early = enqueue('greet', '{"name":"Ada"}', '--wait', '1ms')
  assert.equal(early.status, 1)
  assert.match(early.stderr, /is ready; ask again later/)
  const { id } = await house.client.enqueue(greet, { name: 'Bob' }, { id: crypto.randomUUID() })
  await house.work(app)
  await house.watch.ended(id, 10_000)
  const done = enqueue('greet', '{"name":"Bob"}', '--id', id, '--wait', '10s')
  assert.deepEqual(done, {
    status: 0,
    stdout: '"Hello Bob"',
    stderr: 'joined a job that was there before',
  })
})

test('cancel and retry say what they did, and one refusal stops no other', () => {
  const { stdout: id } = enqueue('greet', '{"name":"Ada"}', '--delay', '1h')
  assert.equal(errand(['cancel', id]).stdout, `${id} cancelled`)
  const both = errand(['retry', NOBODY, id])
  assert.deepEqual([both.status, both.stdout], [3, `${id} retried`])
})

test('who only looks needs no app, and prints one JSON document when asked', () => {
  for (const command of [
    'jobs',
    'queues',
    'limits',
    'workers',
    'info',
    'verify',
    'doctor',
    'migrate',
  ]) {
    const { status, stdout, stderr } = errand([command, '--json'])
    assert.equal(stderr, '', command)
    assert.equal(status, 0, command)
    assert.ok(JSON.parse(stdout), command)
    assert.notEqual(errand([command]).stdout, '', command)
  }
})

test('doctor shows every setting with its origin, and no secret', () => {
  const env = { ERRAND_LINK_KEY: 'hush'.repeat(8), PORT: '8080' }
  const { stdout } = errand(['doctor', '--log-level', 'warn'], { env })
  assert.match(stdout, /ERRAND_LINK_KEY +\(hidden\) +ERRAND_LINK_KEY/)
  assert.match(stdout, /ERRAND_PORT +8080 +PORT/)
  assert.match(stdout, /ERRAND_LOG_LEVEL +warn +--log-level/)
  assert.doesNotMatch(stdout, /hush/)
})

test('doctor is 1 when the store is wrong', () => {
  const { status, stdout } = errand(['doctor', '--store', `sqlite:${APP}`])
  assert.equal(status, 1)
  assert.match(stdout, /✘ +store +STORE_CORRUPT/)
})

test('migrate prints what an older store lacks, and applies it', () => {
  const store = ['--store', 'sqlite:empty.db']
  assert.match(errand(['migrate', '--print', ...store]).stdout, /create table/)
  assert.equal(errand(['doctor', ...store]).status, 1)
  assert.match(errand(['migrate', ...store]).stdout, /went from schema 0 to \d/)
  assert.match(errand(['migrate', '--print', ...store]).stdout, /^-- nothing is pending/)
})

test('telling the usage loads neither zod nor hono nor a database', () => {
  const spy = `import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, next) { console.error(url); return next(url, context) } })`
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(spy)}`,
    join(ROOT, 'src/cli/main.ts'),
    '--help',
  ]
  const { status, stderr } = errand(args, { command: process.execPath })
  assert.equal(status, 0)
  assert.match(stderr, /commander/)
  assert.doesNotMatch(stderr, /zod|hono|sqlite|pino|cli\/commands\//)
})

test('the launcher is found through links', () => {
  const link = join(here, 'link')
  symlinkSync(join(ROOT, 'bin/errand'), link)
  assert.match(errand(['--version'], { command: link }).stdout, /^\d+\.\d+\.\d+/)
})
