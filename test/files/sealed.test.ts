import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import type { Range } from '../../src/files/contract.ts'
import { DiskFiles } from '../../src/files/disk/disk.ts'
import { SealedFiles } from '../../src/files/sealed.ts'
import { Keyring } from '../../src/job/seal.ts'
import { seeded } from '../support/random.ts'

const ring = Keyring.read(`a:${Buffer.alloc(32, 7).toString('base64')}`) ?? assert.fail()
const CHUNK = 65_536

function open() {
  const root = mkdtempSync(join(tmpdir(), 'errand-sealed-files-'))
  const whose = { id: newId(), tenant: 'acme' }
  const disk = new DiskFiles(root)
  const place = { id: whose.id, fence: 5, file: 'a.csv' }
  const files = new SealedFiles(disk, whose, ring)
  return {
    place,
    files,
    other: (over: object) => new SealedFiles(disk, { ...whose, ...over }, ring),
    read: async (range?: Range, from = files) =>
      Buffer.concat(await Array.fromAsync(await from.read(place, range))),
    path: () =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))[0] ?? '',
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}

/** Content in parts of odd sizes. */
async function* parts(content: Buffer, random = seeded(1)): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length;) {
    const size = 1 + random(100_000)
    yield content.subarray(at, at + size)
    at += size
  }
}

const contentOf = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, i) => (i * 31) % 251))

test('what was written sealed is read as it was, whole and in parts, and lies there in no clear', async () => {
  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 77]) {
    using at = open()
    const content = contentOf(size)
    const { bytes } = await at.files.write(at.place, parts(content), 1e9)
    assert.equal(bytes, size)
    assert((await at.read()).equals(content), `${size}`)
    const ends = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, size - 1].filter((n) => n >= 0 && n < size)
    for (const from of ends)
      for (const to of ends.filter((end) => end >= from))
        assert(
          (await at.read({ from, to })).equals(content.subarray(from, to + 1)),
          `${from}-${to}`,
        )
    if (size > 64) assert(!readFileSync(at.path()).includes(content.subarray(0, 64)))
  }
})

test('a file that was changed, cut, or read as another’s is not given out', async () => {
  using at = open()
  const content = contentOf(3 * CHUNK)
  await at.files.write(at.place, parts(content), 1e9)
  const path = at.path()
  const whole = readFileSync(path)
  const head = whole.length - 3 * (CHUNK + 16)
  const broken = { code: 'SEAL_BROKEN' }
  for (const other of [at.other({ id: newId() }), at.other({ tenant: '' })])
    await assert.rejects(at.read(undefined, other), broken)

  const damages = [
    // The last chunk is gone; two have changed places; a bit has.
    whole.subarray(0, head + 2 * (CHUNK + 16)),
    Buffer.concat([
      whole.subarray(0, head),
      whole.subarray(head + CHUNK + 16, head + 2 * (CHUNK + 16)),
      whole.subarray(head, head + CHUNK + 16),
      whole.subarray(head + 2 * (CHUNK + 16)),
    ]),
    whole.with(head + 100, (whole[head + 100] ?? 0) ^ 1),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, head),
  ]
  for (const damage of damages) {
    writeFileSync(path, damage)
    await assert.rejects(at.read(), broken)
  }
})

test('a file that grows too large is not kept', async () => {
  using at = open()
  await assert.rejects(at.files.write(at.place, parts(contentOf(1000)), 999), {
    code: 'ARTIFACT_TOO_LARGE',
  })
  await assert.rejects(at.read(), { code: 'ARTIFACT_NOT_FOUND' })
})
