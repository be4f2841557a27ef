import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machine } from '../lib/report.ts'
import { BUN, PYTHON, type System } from './systems.ts'

const FOLDER = fileURLToPath(new URL('programs', import.meta.url))

type Need = { of(system: System): boolean; debian: string; isThere(): boolean }

const runs = (program: string, ...args: string[]) => spawnSync(program, args).status === 0

/** What comes with the system rather than with npm. */
const NEEDS: Need[] = [
  {
    of: ({ server }) => server === 'redis',
    debian: 'redis-server',
    isThere: () => runs('redis-server', '--version'),
  },
  {
    of: ({ server }) => server === 'postgres',
    debian: 'postgresql',
    isThere: () =>
      globSync('/usr/lib/postgresql/*/bin').length > 0 || runs('postgres', '--version'),
  },
  {
    of: ({ id }) => id === 'celery',
    debian: 'python3-celery python3-redis',
    isThere: () => runs(PYTHON, '-c', 'import celery, redis'),
  },
  {
    of: ({ id }) => id === 'rq',
    debian: 'python3-rq python3-redis',
    isThere: () => runs(PYTHON, '-c', 'import rq, redis'),
  },
]

export type About = { machine: object; servers: object; versions: Record<string, string> }

/** Makes sure that all is there which these systems need, and answers which versions that is. */
export function provide(systems: readonly System[]): About {
  const missing = NEEDS.filter((need) => systems.some((one) => need.of(one)) && !need.isThere())
  if (missing.length > 0) {
    const packages = new Set(missing.flatMap(({ debian }) => debian.split(' ')))
    const line = `apt-get install -y --no-install-recommends ${[...packages].join(' ')}`
    throw new Error(`install it first, or narrow with --systems: ${line}`)
  }
  if (systems.some(({ program }) => program.startsWith('programs/'))) installPackages()
  if (systems.some(({ id }) => id.startsWith('bunqueue')) && !runs(BUN, '--version'))
    throw new Error(`bun does not run: try \`node node_modules/bun/install.js\` in ${FOLDER}`)
  return {
    machine,
    servers: { redis: said('redis-server', '--version'), postgres: postgresVersion() },
    versions: Object.fromEntries(systems.map((system) => [system.id, versionOf(system)])),
  }
}

/** The peers' packages have a lock file of their own, so that `npm ci` of the project stays light. */
function installPackages(): void {
  const wanted = Object.entries(dependencies())
  const isThere = wanted.every(([name, version]) => {
    const file = `${FOLDER}/node_modules/${name}/package.json`
    return existsSync(file) && readVersion(file) === version
  })
  if (isThere) return
  console.error(`npm ci, in ${FOLDER}`)
  const { status } = spawnSync('npm', ['ci'], { cwd: FOLDER, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('npm ci failed')
}

function versionOf({ id, title, packages = [] }: System): string {
  if (packages.length > 0) {
    const known = dependencies()
    return packages.map((name) => `${name} ${known[name]}`).join(', ')
  }
  if (id === 'celery' || id === 'rq')
    return said(
      PYTHON,
      '-c',
      `from importlib.metadata import version; print("${title}", version("${id}"))`,
    )
  return `errand ${readVersion(fileURLToPath(new URL('../../package.json', import.meta.url)))}`
}

function dependencies(): Record<string, string> {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(`${FOLDER}/package.json`, 'utf8'),
  )
  return dependencies
}

function readVersion(file: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'))
  return version
}

function postgresVersion(): string {
  const program = globSync('/usr/lib/postgresql/*/bin/postgres').toSorted().at(-1) ?? 'postgres'
  return said(program, '--version')
}

const said = (program: string, ...args: string[]) =>
  spawnSync(program, args, { encoding: 'utf8' }).stdout?.trim() ?? 'not there'
