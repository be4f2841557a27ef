import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { COMMANDS } from '../src/cli/commands.ts'
import { SETTINGS } from '../src/cli/rows.ts'
import { vitalsGauges } from '../src/job/vitals.ts'
import { Stats } from '../src/worker/stats.ts'
import { claimed } from './support/claimed.ts'
import { completed } from './support/jobs.ts'
import { openDoor } from './http/door.ts'
import { ROOT } from './support/compile.ts'

const FOLDER = join(ROOT, 'deploy')
const FILES = globSync('*', { cwd: FOLDER }).toSorted()
const read = (file: string) => readFileSync(join(FOLDER, file), 'utf8')

const KNOWN = Object.values(SETTINGS).flatMap((row) => [
  row.env,
  ...('alias' in row ? [row.alias] : []),
  ...('secret' in row ? [`${row.env}_FILE`] : []),
])

test('every file in deploy is named by its page', () => {
  const page = read('README.md')
  const others = FILES.filter((file) => file !== 'README.md')
  assert.deepEqual(
    others.filter((file) => !page.includes(`(${file})`)),
    [],
  )
})

test('what is YAML there can be read', () => {
  for (const file of FILES.filter((name) => name.endsWith('.yaml')))
    for (const document of parseAllDocuments(read(file)))
      assert.deepEqual('errors' in document ? document.errors : [], [], file)
})

test('settings and commands that are named are there', () => {
  for (const file of FILES) {
    const names = read(file).match(/\bERRAND_[A-Z_]+\b/g) ?? []
    assert.deepEqual(
      names.filter((name) => !KNOWN.includes(name)),
      [],
      file,
    )
  }
  const said = FILES.flatMap((file) => [
    ...read(file).matchAll(/(?:bin\/errand|command:|args: \[|CMD \[")\s*([a-z]+)/g),
  ])
  const commands = said.map(([, name = '']) => name).filter((name) => name !== 'redis')
  assert(commands.length > 5)
  assert.deepEqual(
    commands.filter((name) => !(name in COMMANDS)),
    [],
  )
})

test('paths that probes ask are answered', async () => {
  await using door = await openDoor()
  const paths = [...read('kubernetes.yaml').matchAll(/path: (\/health\S*),/g)]
  assert.equal(paths.length, 2)
  for (const [, path = ''] of paths) assert.equal((await door.get(path)).status, 200)
})

test('every metric that a rule or a panel asks for is shown', async () => {
  await using door = await openDoor()
  await door.submit()
  const stats = new Stats()
  const job = claimed({}, { job: 'sum' })
  stats.settled(job, completed(), 0)
  stats.ran(job, 1)
  stats.waited(job, 1)
  const vitals = { overloaded: 0, memoryMb: 1, lateMs: 1, cpu: 1 }
  await door.hand.renew(stats.snapshot(...vitalsGauges(door.hand.id, vitals)))
  const shown = await (await door.get('/metrics')).text()
  const asked = ['alerts.yaml', 'grafana.json', 'keda.yaml'].flatMap(
    (file) => read(file).match(/\berrand_[a-z_]+\b/g) ?? [],
  )
  const lacking = asked.filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(shown))
  assert.deepEqual([...new Set(lacking)], [])
})

test('each rule is silent while all is well, and fires when it should', () => {
  const rules = [...read('alerts.yaml').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
  const tried = read('alerts.test.yaml')
  assert.deepEqual(
    rules.filter((name) => !tried.includes(`alertname="${name}", alertstate="firing"`)),
    [],
  )
  for (const [verb, file] of [
    ['check', 'alerts.yaml'],
    ['test', 'alerts.test.yaml'],
  ] as const) {
    const { status, stdout, stderr } = spawnSync('promtool', [verb, 'rules', file], {
      cwd: FOLDER,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
  }
})

test('a container is given no more than the repository has', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!\.)(.+) \S+$/gm)]
  const sources = copied.flatMap(([, list = '']) => list.split(' '))
  assert(sources.length > 1)
  assert.deepEqual(
    sources.filter((source) => !existsSync(join(ROOT, source))),
    [],
  )
})
