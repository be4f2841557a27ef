import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { decodeJson, encodeJson, readOwn } from '../../src/base/json.ts'
import { compress, expand } from '../../src/base/zstd.ts'

const large = { text: 'what is said again and again, '.repeat(2000) }
const encoded = encodeJson(large) ?? assert.fail()

test('a large value is kept in fewer bytes and read as it was', () => {
  const fewer = compress(encoded)
  assert(fewer.length < encoded.length / 20)
  assert.deepEqual(Buffer.from(expand(fewer)), Buffer.from(encoded))
  assert.deepEqual(decodeJson(fewer), large)
})

test('what is small, or would hardly be smaller, stays the very same', () => {
  const small = encodeJson({ text: 'a'.repeat(900) }) ?? assert.fail()
  const odd = randomBytes(4096)
  assert.equal(compress(small), small)
  assert.equal(compress(odd), odd)
  assert.equal(expand(encoded), encoded)
})

test('a frame that is damaged, or expands without end, is not read', () => {
  const cut = compress(encoded).subarray(0, 40)
  const endless = zstdCompressSync(Buffer.alloc(2_000_000, '1'))
  for (const bad of [cut, endless]) {
    assert.throws(() => decodeJson(bad))
    assert.equal(readOwn(bad, 'nothing'), 'nothing')
  }
})
