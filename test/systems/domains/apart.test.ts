import assert from 'node:assert/strict'
import { existsSync, readFileSync, globSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import { readSettings } from '../../../systems/domains/settings.ts'

const FOLDER = resolve(import.meta.dirname, '../../../systems/domains')
const read = (file: string) => readFileSync(join(FOLDER, file), 'utf8')
const SOURCES = globSync('**/*.ts', { cwd: FOLDER })

/** What a file loads as it is loaded: types, and what is imported at need, are not. */
const loadedBy = (file: string): string[] =>
  [
    ...read(file).matchAll(
      /^(?:import|export) (?!type\b)(?:\w+,? ?)?(?:\{[^}]*\} )?from '([^']+)'/gm,
    ),
  ].map(([, path = '']) => (path.startsWith('.') ? join(dirname(file), path) : path))

function reached(file: string, seen = new Set<string>()): Set<string> {
  for (const path of loadedBy(file))
    if (!seen.has(path)) {
      seen.add(path)
      if (path.endsWith('.ts') && existsSync(join(FOLDER, path))) reached(path, seen)
    }
  return seen
}

test('the API never loads what reads the web, nor callers more than the contract', () => {
  const server = [...reached('app.ts')]
  assert.ok(server.includes('batch/api-service.ts'))
  const workers = /^scraper\/|^handlers|worker-service|htmlparser2/
  assert.deepEqual(
    server.filter((path) => workers.test(path)),
    [],
  )
  const needed = ['../common/settings.ts', 'errand', 'settings.ts', 'zod']
  assert.deepEqual([...reached('contract.ts')].toSorted(), needed)
})

test('workers never load the API', () => {
  const loaded = [...reached('handlers.ts')]
  assert.ok(loaded.includes('scraper/crawl.ts'))
  assert.deepEqual(
    loaded.filter((path) => /api-service|routes|live|request|hono/.test(path)),
    [],
  )
})

test('no file reaches itself', () => {
  assert.deepEqual(
    SOURCES.filter((file) => reached(file).has(file)),
    [],
  )
})

test('the shipped settings are those of the team', () => {
  assert.deepEqual(readSettings({}), {
    store: 'sqlite:.errand/errand.db',
    database: 'sqlite:.errand/domains.db',
    web: 'http://127.0.0.1:7472',
    isHired: true,
    concurrent: 5,
    pages: 3,
    perBatch: 2000,
    attempts: 3,
    backoffMs: 10_000,
    retryAfterMaxMs: 3_600_000,
    jobTimeoutMs: 3_600_000,
    pageTimeoutMs: 10_000,
    pageBytes: 2_097_152,
    redirects: 5,
    sockets: 10,
    agent: 'errand-domains/1.0',
    adoptMs: 15_000,
    liveMs: 500,
    keepMs: 2_592_000_000,
  })
  const there = readSettings({ ERRAND_STORE: 'postgres://db/app', DOMAINS_WEB: 'internet' })
  assert.deepEqual([there.database, there.isHired], ['postgres://db/app', false])
})
