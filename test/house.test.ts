import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { CODES } from '../src/job/errors.ts'
import { compile, ROOT } from './support/compile.ts'
import { SABOTAGES } from './support/sabotages/all.ts'

/** A room may import from the floors below it, and from nowhere else. The top floor is one room. */
const FLOORS = [
  ['base'],
  ['job'],
  ['store/terms.ts'],
  ['store/contract.ts', 'files/contract.ts'],
  ['store/parts', 'files/sealed.ts'],
  ['client', 'worker', 'watch', 'store/sqlite', 'store/redis', 'store/postgres', 'files/disk'],
  ['cron.ts'],
  ['http'],
  ['cli', 'open.ts', 'stores.ts', 'index.ts', 'testing', 'testing.ts'],
]
const ROOMS = FLOORS.flat()
const TOP = FLOORS.length - 1
const PACKAGES_FROM = FLOORS.findIndex((rooms) => rooms.includes('http'))
const LINES_MAX = 300

const find = (...patterns: string[]) =>
  globSync(patterns, { cwd: ROOT, exclude: (path) => path.includes('node_modules') }).toSorted()
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

const roomOf = (path: string) =>
  ROOMS.find((room) => path === `src/${room}` || path.startsWith(`src/${room}/`)) ??
  `no room: ${path}`
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room))

const SOURCES = find('src/**/*.ts')
const DOCS = find(
  'README.md',
  'docs/**/*.md',
  'systems/*/README.md',
  'bench/README.md',
  'deploy/README.md',
)

/** What a file imports, types too. */
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:\bfrom|\bimport\(|\bimport) ?'([^']+)'/g)].map(
    ([, path = '']) => path,
  )

test('every source file stands in a room', () => {
  assert.deepEqual(
    SOURCES.map(roomOf).filter((room) => room.startsWith('no room')),
    [],
  )
})

test('imports only look down', () => {
  const astray = SOURCES.flatMap((file) => {
    const here = roomOf(file)
    return importsOf(file)
      .filter((path) => path.startsWith('.'))
      .map((path) => roomOf(join(dirname(file), path)))
      .filter((there) => there !== here && floorOf(there) >= floorOf(here) && floorOf(here) < TOP)
      .map((there) => `${file} imports ${there}`)
  })
  assert.deepEqual(astray, [])
})

test('imports of files carry their ending and find their file', () => {
  const lost = find('{src,systems,bench}/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((path) => path.startsWith('.'))
      .filter((path) => !/\.(ts|js)$/.test(path) || !existsSync(join(ROOT, dirname(file), path)))
      .map((path) => `${file} imports ${path}`),
  )
  assert.deepEqual(lost, [])
})

/** What a driver may import: its own client, and nothing else. */
const CLIENTS: Record<string, string> = {
  'store/redis': 'ioredis',
  'store/postgres': 'pg',
  'cron.ts': 'croner',
}

test('no package is imported below the door, but by a driver its own client', () => {
  const guests = SOURCES.filter((file) => floorOf(roomOf(file)) < PACKAGES_FROM).flatMap((file) =>
    importsOf(file)
      .filter((path) => !path.startsWith('.') && !path.startsWith('node:'))
      .filter((path) => path !== CLIENTS[roomOf(file)])
      .map((path) => `${file} imports ${path}`),
  )
  assert.deepEqual(guests, [])
})

test('systems know errand by its public name only', () => {
  const intruders = find('systems/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((path) => path.startsWith('.') && !join(dirname(file), path).startsWith('systems/'))
      .map((path) => `${file} imports ${path}`),
  )
  assert.deepEqual(intruders, [])
})

test('no file is longer than 300 lines', () => {
  const long = find('{src,test,systems,bench,scripts}/**/*.{ts,js,mjs,sql,lua,css,html}')
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
  assert.deepEqual(long, [])
})

test('the environment is read in one file', () => {
  const readers = SOURCES.filter((file) => /\bprocess\.env\b/.test(read(file)))
  assert.deepEqual(readers, ['src/cli/settings.ts'])
})

test('every error code is explained, and no other', () => {
  const explained = [...read('docs/errors.md').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(
    ([, code = '']) => code,
  )
  assert.deepEqual(explained.toSorted(), CODES.toSorted())
})

test('every verb’s statements say what goes in, what comes out, what it costs and what to beware of', () => {
  const header =
    /^-- [a-z][a-z, ]*: [^\n]+\.\n--\n-- In {6}\S.*\n-- Out {5}\S.*\n-- Cost {4}\S.*\n-- Beware {2}\S.*\n(--.*\n)*\n/
  const keyed =
    /^-- [a-z][a-z, ]*: [^\n]+\.\n--\n-- Keys {4}\S.*\n(--.*\n)*-- In {6}\S.*\n(--.*\n)*-- Out {5}\S.*\n(--.*\n)*-- Cost {4}\S.*\n(--.*\n)*-- Beware {2}\S.*\n(--.*\n)*\n/
  const bare = [
    ...find('src/store/*/*.sql').filter((file) => !header.test(read(file))),
    ...find('src/store/*/*.lua').filter((file) => !keyed.test(read(file))),
  ]
  assert.deepEqual(bare, [])
})

/** Paths that a text names, fenced code left out: in backticks from the root, in links from where it lies. */
function pathsIn(file: string): string[] {
  const text = read(file).replaceAll(/^```.*?^```/gms, '')
  const named = /`((?:src|test|docs|systems|bench|bin|scripts)\/[^`\s]*)`/g
  const fromRoot = [...text.matchAll(named)].map(([, path = '']) => path)
  const links = [...text.matchAll(/\]\((?!\w+:|#|\/)([^)#\s]+)/g)].map(([, path = '']) => path)
  return [...fromRoot, ...links.map((path) => join(dirname(file), path))]
}

test('texts name only files that are there', () => {
  const missing = DOCS.flatMap((file) =>
    pathsIn(file)
      .filter((path) => !existsSync(join(ROOT, path)) && find(path).length === 0)
      .map((path) => `${file} names ${path}`),
  )
  assert.deepEqual(missing, [])
})

test('what the texts show as TypeScript compiles', () => {
  const blocks = DOCS.flatMap((file) =>
    [...read(file).matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ''], i) => {
      const name = /^\/\/ ([\w.-]+\.ts)\b/.exec(code)?.[1] ?? `${i}.ts`
      return [`${file.replaceAll(/\W/g, '-')}/${name}`, code] as const
    }),
  )
  assert.notEqual(blocks.length, 0)
  assert.deepEqual(compile(Object.fromEntries(blocks)), [])
})

test('every sabotage finds the one place that it breaks', () => {
  const lost = SABOTAGES.filter(({ file, find }) => read(file).split(find).length !== 2)
  assert.deepEqual(
    lost.map(({ breaks }) => breaks),
    [],
  )
})
