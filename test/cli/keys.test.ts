import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { linkKey, makeSealKey } from '../../src/cli/keys.ts'
import { readSettings } from '../../src/cli/settings.ts'
import { hasCode } from '../../src/job/errors.ts'

const folder = (t: TestContext) => {
  const made = mkdtempSync(join(tmpdir(), 'errand-'))
  t.after(() => rmSync(made, { recursive: true }))
  return join(made, 'data')
}

test('the key in the settings is the one that signs', async (t) => {
  const key = await linkKey({ linkKey: 'k'.repeat(32), data: folder(t) })
  assert.equal(Buffer.from(key).toString(), 'k'.repeat(32))
})

test('whoever asks first makes the key, and all who race for it get the same one', async (t) => {
  const data = folder(t)
  const keys = await Promise.all(
    Array.from({ length: 20 }, () => linkKey({ linkKey: undefined, data })),
  )
  const texts = new Set(keys.map((key) => Buffer.from(key).toString()))
  assert.equal(texts.size, 1)
  assert.deepEqual(readdirSync(data), ['link.key'])
  assert.deepEqual(await linkKey({ linkKey: undefined, data }), keys[0])
})

test('only its owner may read the key', async (t) => {
  const data = folder(t)
  await linkKey({ linkKey: undefined, data })
  assert.equal(statSync(join(data, 'link.key')).mode & 0o777, 0o600)
  assert.equal(statSync(data).mode & 0o777, 0o700)
})

test('a key cut short is refused', async (t) => {
  const data = folder(t)
  await linkKey({ linkKey: undefined, data })
  writeFileSync(join(data, 'link.key'), 'short')
  await assert.rejects(linkKey({ linkKey: undefined, data }), (error) =>
    hasCode(error, 'INVALID_SETTING'),
  )
})

test('where no key for sealed data is given, one is made beside the file of jobs, once for all', async (t) => {
  const data = folder(t)
  const env = { ERRAND_DATA: data }
  await Promise.all(Array.from({ length: 20 }, () => makeSealKey(readSettings({}, env).settings)))
  const { settings, readings } = readSettings({}, env)
  assert.match(settings.sealKeys ?? '', /^local:[A-Za-z0-9+/]{43}=$/)
  assert.equal(statSync(join(data, 'seal.key')).mode & 0o777, 0o600)
  assert.equal(readings.find(({ name }) => name === 'sealKeys')?.origin, join(data, 'seal.key'))
  await makeSealKey(settings)
  assert.equal(readSettings({}, env).settings.sealKeys, settings.sealKeys)
})

test('keys that are given win over the one in the data folder', async (t) => {
  const data = folder(t)
  await makeSealKey(readSettings({}, { ERRAND_DATA: data }).settings)
  const given = `mine:${Buffer.alloc(32, 1).toString('base64')}`
  const { settings } = readSettings({}, { ERRAND_DATA: data, ERRAND_SEAL_KEYS: given })
  assert.equal(settings.sealKeys, given)
})

test('no key is made where others may share the store, or where one is given', async (t) => {
  const data = folder(t)
  const sealKeys = `mine:${Buffer.alloc(32, 1).toString('base64')}`
  for (const env of [{ ERRAND_STORE: 'redis://127.0.0.1' }, { ERRAND_SEAL_KEYS: sealKeys }])
    await makeSealKey(readSettings({}, { ERRAND_DATA: data, ...env }).settings)
  assert.equal(existsSync(data), false)
})
