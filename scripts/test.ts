import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { resolve } from 'node:path'
import { styleText } from 'node:util'
import { isFor, readStores, type StoreName } from '../test/support/stores.ts'

/**
 * `npm test`: everything that must hold before a change is taken, and nothing skipped. `STORES=sqlite`
 * narrows it to the stores named; of the others no server is installed or started.
 */
const TOOLS = 'node_modules/.bin'
const STORES = stores()
// What was compiled once need not be compiled by every process of every test.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/errand')
const NEEDED: readonly Need[] = [
  { what: 'a browser for the pages', paths: ['/usr/bin/chromium'], packages: ['chromium'] },
  { what: 'a reader of PDFs', paths: ['/usr/bin/pdftotext'], packages: ['poppler-utils'] },
  {
    what: 'a checker of alert rules',
    paths: ['/usr/bin/promtool', '/usr/local/bin/promtool'],
    packages: ['prometheus'],
  },
  {
    what: 'Redis',
    store: 'redis',
    paths: ['/usr/bin/redis-server'],
    packages: ['redis-server'],
  },
  {
    what: 'PostgreSQL',
    store: 'postgres',
    paths: [...globSync('/usr/lib/postgresql/*/bin/initdb'), '/usr/local/bin/initdb'],
    packages: ['postgresql'],
  },
  {
    what: 'a pooler of PostgreSQL connections',
    store: 'postgres',
    paths: ['/usr/sbin/pgbouncer'],
    packages: ['pgbouncer'],
  },
]

const STEPS = [
  { name: 'format', command: [`${TOOLS}/oxfmt`, '--check', '.'] },
  { name: 'lint', command: [`${TOOLS}/oxlint`] },
  { name: 'types', command: [`${TOOLS}/tsc`, '-p', '.'] },
  {
    name: 'tests',
    command: [process.execPath, '--no-warnings', '--test', '--test-concurrency=2', ...chosen()],
  },
]

type Need = { what: string; store?: StoreName; paths: string[]; packages: string[] }

/** The test files named on the command line, or all that are about a chosen store or none. */
function chosen(): string[] {
  const named = process.argv.slice(2)
  return named.length > 0 ? named : globSync('test/**/*.test.ts').filter(isFor(STORES)).toSorted()
}

function stores(): readonly StoreName[] {
  try {
    return readStores()
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function run([program = '', ...args]: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'inherit' }).status === 0
}

/** As root on Debian what is missing is installed; elsewhere the line to type is named. */
function provide(): void {
  const missing = NEEDED.filter(
    ({ store, paths }) =>
      (store === undefined || STORES.includes(store)) && !paths.some((path) => existsSync(path)),
  )
  if (missing.length === 0) return
  const packages = missing.flatMap((one) => one.packages)
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  const isAble = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
  for (const { what } of missing) console.log(`missing: ${what}`)
  if (!isAble) return fail(`install it first: ${line}`)
  console.log(`installing: ${line}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as const, env, shell: true }
  if (
    spawnSync(`apt-get update -qq && ${line} -qq`, { ...quiet, stdio: [...quiet.stdio] }).status !==
    0
  )
    fail('the installation failed')
}

function fail(why: string): never {
  console.error(styleText('red', why))
  process.exit(1)
}

provide()
for (const { name, command } of STEPS) {
  const from = performance.now()
  console.log(styleText('bold', `\n── ${name}`))
  if (!run(command)) fail(`${name} failed`)
  console.log(`${name}: ${((performance.now() - from) / 1000).toFixed(1)} s`)
}
