import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { linkKey } from '../../src/cli/keys.ts'
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
