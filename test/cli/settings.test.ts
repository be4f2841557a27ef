import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { processesDefault } from '../../src/cli/kinds.ts'
import { asEnvironment, readSettings, shown } from '../../src/cli/settings.ts'
import { ErrandError } from '../../src/job/errors.ts'

test('the shipped defaults are these', (t) => {
  const [here, elsewhere] = [process.cwd(), mkdtempSync(join(tmpdir(), 'errand-'))]
  process.chdir(elsewhere)
  t.after(() => {
    process.chdir(here)
    rmSync(elsewhere, { recursive: true })
  })
  assert.deepEqual(readSettings({}, {}).settings, {
    data: '.errand',
    store: 'sqlite:.errand/errand.db',
    durability: 'full',
    files: 'file:.errand/files',
    app: undefined,
    linkKey: undefined,
    sealKeys: undefined,
    host: '127.0.0.1',
    port: 7373,
    insecure: false,
    queues: undefined,
    concurrency: 10,
    processes: processesDefault(),
    maxJobs: 1000,
    maxMemory: 512,
    overloadMs: 1000,
    leaseMs: 15_000,
    renewMs: 5000,
    sweepMs: 2000,
    pollMs: 1000,
    graceMs: 25_000,
    cancelGraceMs: 1000,
    auditKeepMs: 90 * 86_400_000,
    release: undefined,
    logLevel: 'info',
    failpoints: undefined,
  })
})

const port = (flags: object, env: Record<string, string>) => readSettings(flags, env).settings.port

test('a flag wins over our variable, that over the platform’s, that over the default', () => {
  assert.equal(port({}, { PORT: '1' }), 1)
  assert.equal(port({}, { PORT: '1', ERRAND_PORT: '2' }), 2)
  assert.equal(port({ port: '3' }, { PORT: '1', ERRAND_PORT: '2' }), 3)
})

test('an empty variable counts as unset', () => {
  assert.equal(port({}, { ERRAND_PORT: '', PORT: '' }), 7373)
})

test('each setting knows who said so', () => {
  const { readings } = readSettings({ store: 'sqlite:a.db' }, { PORT: '1' })
  const origin = (name: string) => readings.find((one) => one.name === name)?.origin
  assert.equal(origin('store'), '--store')
  assert.equal(origin('port'), 'PORT')
  assert.equal(origin('host'), 'default')
})

test('store and files lie in the data folder unless said otherwise', () => {
  const { settings } = readSettings({ data: '/srv/$&' }, { ERRAND_FILES: 'file:/big' })
  assert.equal(settings.store, 'sqlite:/srv/$&/errand.db')
  assert.equal(settings.files, 'file:/big')
})

test('spans, lists and yes-or-no are read as people write them', () => {
  const { settings } = readSettings(
    { queues: 'urgent, default' },
    { ERRAND_LEASE: '500ms', ERRAND_RENEW: '0.1s', ERRAND_INSECURE: 'yes' },
  )
  assert.deepEqual(settings.queues, ['urgent', 'default'])
  assert.equal(settings.leaseMs, 500)
  assert.equal(settings.renewMs, 100)
  assert.equal(settings.insecure, true)
})

const refused: Record<string, [flags: object, env: Record<string, string>, message: RegExp]> = {
  'a misspelt variable': [
    {},
    { ERRAND_QEUES: 'hush' },
    /ERRAND_QEUES is not known; did you mean ERRAND_QUEUES\?/,
  ],
  'a variable nobody knows': [{}, { ERRAND_ZZZZZZZZZZ: 'hush' }, /ERRAND_ZZZZZZZZZZ is not known$/],
  'a port that is no number': [{}, { PORT: 'hush' }, /PORT needs a whole number from 0 to 65535/],
  'a port past the last': [{ port: '65536' }, {}, /--port needs a whole number/],
  'a span without its unit': [{}, { ERRAND_GRACE: '25' }, /ERRAND_GRACE needs a span/],
  'a level that is none': [{ logLevel: 'hush' }, {}, /--log-level needs one of trace/],
  'a short secret': [
    {},
    { ERRAND_LINK_KEY: 'hush' },
    /ERRAND_LINK_KEY needs at least 32 characters/,
  ],
  'a secret file that is not there': [
    {},
    { ERRAND_LINK_KEY_FILE: '/hush/hush' },
    /ERRAND_LINK_KEY_FILE names a file/,
  ],
  'files that lie in no folder': [{ files: 's3:hush' }, {}, /--files needs file:<folder>/],
  'renewing later than the lease ends': [
    { leaseMs: '1s' },
    {},
    /ERRAND_RENEW must be shorter than ERRAND_LEASE/,
  ],
}

for (const [what, [flags, env, message]] of Object.entries(refused))
  test(`${what} is refused by name, and its value is not told`, () => {
    assert.throws(
      () => readSettings(flags, env),
      (error) => {
        assert.ok(error instanceof ErrandError)
        assert.equal(error.code, 'INVALID_SETTING')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /hush/)
        return true
      },
    )
  })

test('a secret may lie in a file, and is never shown', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'errand-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key')
  writeFileSync(file, `${'k'.repeat(32)}\n`)
  const { settings, readings } = readSettings({}, { ERRAND_LINK_KEY_FILE: file })
  assert.equal(settings.linkKey, 'k'.repeat(32))
  assert.ok(readings.every((reading) => !shown(reading).includes('kkk')))
})

test('a password in the store’s address is not shown', () => {
  const HIDDEN = {
    'redis://me:pass@host/0': 'redis://(hidden)@host/0',
    'redis-cluster://me:p@ss@a:1,b:2?prefix=x': 'redis-cluster://(hidden)@a:1,b:2?prefix=x',
    'redis-sentinel://a,b/name?sentinelPassword=pass&prefix=x':
      'redis-sentinel://a,b/name?sentinelPassword=(hidden)&prefix=x',
  }
  for (const [given, seen] of Object.entries(HIDDEN)) {
    const { readings } = readSettings({}, { ERRAND_STORE: given })
    const store = readings.find(({ name }) => name === 'store')
    assert.equal(store && shown(store), seen)
  }
})

test('children are given the flags as variables, and read the same settings', () => {
  const flags = { port: '8080', leaseMs: '9s', insecure: 'true' }
  const { settings, readings } = readSettings(flags, {})
  assert.deepEqual(readSettings({}, asEnvironment(readings, {})).settings, settings)
  assert.deepEqual(Object.keys(asEnvironment(readings, {})).toSorted(), [
    'ERRAND_INSECURE',
    'ERRAND_LEASE',
    'ERRAND_PORT',
  ])
})
