import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { type Code, hasCode } from '../../src/job/errors.ts'
import { DiskFiles } from '../../src/files/disk/disk.ts'
import type { Place, Range } from '../../src/files/contract.ts'
import { HOUR } from '../support/jobs.ts'

const root = mkdtempSync(join(tmpdir(), 'errand-files-'))
after(() => rmSync(root, { recursive: true }))
const files = new DiskFiles(root)
const MAX = 1_000_000

const at = (file = 'a.txt'): Place => ({ id: newId(), fence: 1, file })
const code = (expected: Code) => (error: unknown) => hasCode(error, expected)
const folderOf = ({ id }: Place) => join(root, id.slice(-2), id)

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

const read = async (place: Place, range?: Range) =>
  new Response(await files.read(place, range)).text()

test('a file is read as it was written, and its length and digest are told', async () => {
  const place = at()
  const written = await files.write(place, chunks('one ', 'two ', '', 'é😀'), MAX)
  const digest = createHash('sha256').update('one two é😀').digest('hex')
  assert.deepEqual(written, { bytes: 14, sha256: digest })
  assert.equal(await read(place), 'one two é😀')
})

test('an empty file is a file', async () => {
  const place = at()
  assert.equal((await files.write(place, chunks(), MAX)).bytes, 0)
  assert.equal(await read(place), '')
})

test('a part of a file is read, both ends included', async () => {
  const place = at()
  await files.write(place, chunks('0123456789'), MAX)
  assert.equal(await read(place, { from: 0, to: 0 }), '0')
  assert.equal(await read(place, { from: 3, to: 5 }), '345')
  assert.equal(await read(place, { from: 8, to: 100 }), '89')
})

test('a file may be as long as allowed, and not a byte longer', async () => {
  const [fits, exceeds] = [at(), at()]
  await files.write(fits, chunks('12345', '67890'), 10)
  await assert.rejects(
    files.write(exceeds, chunks('12345', '678901'), 10),
    code('ARTIFACT_TOO_LARGE'),
  )
  await assert.rejects(files.read(exceeds), code('ARTIFACT_NOT_FOUND'))
  assert.deepEqual(readdirSync(join(folderOf(exceeds), '1')), [])
})

test('a file whose source breaks off was never written', async () => {
  const place = at()
  async function* breaking() {
    yield Buffer.from('half')
    assert.deepEqual(readdirSync(join(folderOf(place), '1')).includes('a.txt'), false)
    throw new Error('the source broke off')
  }
  await assert.rejects(files.write(place, breaking(), MAX), /broke off/)
  await assert.rejects(files.read(place), code('ARTIFACT_NOT_FOUND'))
  assert.deepEqual(readdirSync(join(folderOf(place), '1')), [])
})

test('a file written again is the second one, whole', async () => {
  const place = at()
  await files.write(place, chunks('a long first text'), MAX)
  await files.write(place, chunks('short'), MAX)
  assert.equal(await read(place), 'short')
})

const REFUSED: Record<string, string> = {
  'no name': '',
  'this folder': '.',
  'the folder above': '..',
  'a hidden file': '.hidden',
  'a way out': '../../etc/passwd',
  'an absolute path': '/etc/passwd',
  'a folder': 'a/b',
  'a folder of another system': 'a\\b',
  'the end of a text': 'a\0.txt',
  'a line end': 'a\nb',
  'a delete character': 'a\u007f',
  'letters that turn around': 'a\u202etxt.exe',
  'an isolated direction': 'a\u2066b',
  '256 letters': 'x'.repeat(256),
  '258 bytes': 'é'.repeat(129),
}

for (const [what, file] of Object.entries(REFUSED))
  test(`a name of ${what} is refused, to write, to read and to remove`, async () => {
    await assert.rejects(files.write(at(file), chunks('x'), MAX), code('INVALID_FILE_NAME'))
    await assert.rejects(files.read(at(file)), code('INVALID_FILE_NAME'))
    await assert.rejects(files.remove(at(file)), code('INVALID_FILE_NAME'))
  })

test('names in other scripts, with spaces or of 255 letters are names', async () => {
  for (const file of ['отчёт за май.pdf', '報告.csv', 'a b..c', '~x', 'x'.repeat(255)]) {
    const place = at(file)
    await files.write(place, chunks(file), MAX)
    assert.equal(await read(place), file)
  }
})

test('one name is one file, however its accents are spelt', async () => {
  const place = at('re\u0301sume\u0301')
  await files.write(place, chunks('x'), MAX)
  assert.equal(await read({ ...place, file: 'r\u00e9sum\u00e9' }), 'x')
})

test('files of two attempts are two files', async () => {
  const first = at()
  const second = { ...first, fence: 2 }
  await files.write(first, chunks('first'), MAX)
  await files.write(second, chunks('second'), MAX)
  assert.deepEqual([await read(first), await read(second)], ['first', 'second'])
})

test('a removed file is gone, and removing it again is no harm', async () => {
  const place = at()
  await files.write(place, chunks('x'), MAX)
  await files.remove(place)
  await files.remove(place)
  await assert.rejects(files.read(place), code('ARTIFACT_NOT_FOUND'))
  assert.throws(() => statSync(folderOf(place)), { code: 'ENOENT' })
})

test('removing one file leaves its neighbours', async () => {
  const place = at()
  await files.write(place, chunks('x'), MAX)
  await files.write({ ...place, file: 'b.txt' }, chunks('y'), MAX)
  await files.remove(place)
  assert.equal(await read({ ...place, file: 'b.txt' }), 'y')
})

test('what one attempt wrote is removed, or all that any did', async () => {
  const first = at()
  const [second, other] = [{ ...first, fence: 2 }, at()]
  for (const place of [first, second, other]) await files.write(place, chunks('x'), MAX)
  await files.removeAll(first.id, 1)
  await assert.rejects(files.read(first), code('ARTIFACT_NOT_FOUND'))
  assert.equal(await read(second), 'x')
  await files.removeAll(first.id)
  await assert.rejects(files.read(second), code('ARTIFACT_NOT_FOUND'))
  assert.equal(await read(other), 'x')
  await files.removeAll(newId())
})

test('what attempts before one wrote is removed, and nothing of that one or of later ones', async () => {
  const first = at()
  const places = [1, 2, 3].map((fence) => ({ ...first, fence }))
  for (const place of places) await files.write(place, chunks('x'), MAX)
  await files.removeBefore(first.id, 2)
  assert.deepEqual(readdirSync(folderOf(first)), ['2', '3'])
  await files.removeBefore(newId(), 2)
})

test('jobs whose files have not changed for long are found', async () => {
  const [old, fresh] = [at(), at()]
  for (const place of [old, fresh]) await files.write(place, chunks('x'), MAX)
  const ago = (Date.now() - 2 * HOUR) / 1000
  utimesSync(folderOf(old), ago, ago)
  assert.deepEqual(await files.untouched(HOUR, 10), [old.id])
  assert.deepEqual(await files.untouched(HOUR, 0), [])
  assert.deepEqual(await new DiskFiles(join(root, 'none')).untouched(HOUR, 10), [])
})

test('files are readable to their owner alone', async () => {
  const place = at()
  await files.write(place, chunks('x'), MAX)
  const mode = (path: string) => statSync(path).mode & 0o777
  assert.equal(mode(join(folderOf(place), '1', 'a.txt')), 0o600)
  assert.equal(mode(folderOf(place)), 0o700)
})

const WRITER = `
  import { DiskFiles } from '${new URL('../../src/files/disk/disk.ts', import.meta.url).href}'
  const [root, id] = process.argv.slice(1)
  async function* endless() {
    for (;;) {
      yield Buffer.alloc(65536)
      process.stdout.write('.')
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await new DiskFiles(root).write({ id, fence: 1, file: 'a.txt' }, endless(), Infinity)
`

const writer = (id: string): ChildProcess =>
  spawn(process.execPath, ['--input-type=module', '-e', WRITER, root, id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

test('a writer that is killed leaves no file under the name', async () => {
  const place = at()
  const child = writer(place.id)
  assert(child.stdout)
  await once(child.stdout, 'data')
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  await assert.rejects(files.read(place), code('ARTIFACT_NOT_FOUND'))
  assert.equal(readdirSync(join(folderOf(place), '1')).length, 1)
  await files.removeAll(place.id)
  assert.throws(() => statSync(folderOf(place)), { code: 'ENOENT' })
})
