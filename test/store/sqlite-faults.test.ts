import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { hasCode } from '../../src/job/errors.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { chore, chores } from '../support/jobs.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-faults-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const freshFile = () => join(folder, `${++files}.db`)

const CHILD = join(import.meta.dirname, '../support/fault-child.ts')
const rootless = process.getuid?.() === 0 ? [] : ['--map-root-user']

/** Runs the child with a disk of its own, in its own view of the mounts. */
function onItsOwnDisk(script: string): Record<string, unknown> {
  const text = execFileSync('unshare', ['--mount', ...rootless, 'sh', '-ec', script], {
    encoding: 'utf8',
  })
  return JSON.parse(text)
}

test('a full disk refuses the insert and loses nothing accepted', () => {
  const disk = mkdtempSync(join(folder, 'disk-'))
  const said = onItsOwnDisk(
    `mount -t tmpfs -o size=4m none ${disk}; ${process.execPath} --no-warnings ${CHILD} fill ${disk}/errand.db`,
  )
  assert.equal(said.code, 'STORE_FULL')
  assert.ok(Number(said.accepted) > 0)
  assert.equal(said.stored, said.accepted)
  assert.deepEqual(said.findings, [])
})

test('a disk that cannot be written is named as such', () => {
  const disk = mkdtempSync(join(folder, 'disk-'))
  const said = onItsOwnDisk(
    `mount -t tmpfs -o ro none ${disk}; ${process.execPath} --no-warnings ${CHILD} open ${disk}/errand.db`,
  )
  assert.equal(said.code, 'STORE_READONLY')
})

test('a file that is no database is refused and left as it is', async () => {
  const file = freshFile()
  const text = 'this is no database, however long one looks at it. '.repeat(100)
  writeFileSync(file, text)
  await assert.rejects(SqliteStore.open(file), (error) => hasCode(error, 'STORE_CORRUPT'))
  assert.equal(readFileSync(file, 'utf8'), text)
})

test('a damaged page is reported when it is read', async () => {
  const file = freshFile()
  {
    await using store = await SqliteStore.open(file)
    await store.insert(chores(2000))
  }
  const bytes = readFileSync(file)
  bytes.fill(0xaa, 4096)
  writeFileSync(file, bytes)
  const look = async () => {
    await using store = await SqliteStore.open(file)
    await store.list({}, 200)
  }
  await assert.rejects(look, (error) => hasCode(error, 'STORE_CORRUPT'))
})

test('the database of another program is refused', async () => {
  const file = freshFile()
  const db = new DatabaseSync(file)
  db.exec('create table theirs (a)')
  db.close()
  await assert.rejects(SqliteStore.open(file), (error) => hasCode(error, 'STORE_UNREACHABLE'))
})

test('a newer schema is refused and left as it is', async () => {
  const file = freshFile()
  await (await SqliteStore.open(file))[Symbol.asyncDispose]()
  const db = new DatabaseSync(file)
  db.exec('pragma user_version = 999')
  db.close()
  await assert.rejects(SqliteStore.open(file), (error) => hasCode(error, 'SCHEMA_TOO_NEW'))
})

test('an empty file needs leave to be migrated', async () => {
  const file = freshFile()
  await assert.rejects(SqliteStore.open(file, { migrate: false }), (error) =>
    hasCode(error, 'SCHEMA_OUTDATED'),
  )
})

test('files are readable by their owner alone', async () => {
  const file = freshFile()
  await using store = await SqliteStore.open(file)
  await store.insert([chore()])
  for (const path of [file, `${file}-wal`, `${file}-shm`])
    assert.equal(statSync(path).mode & 0o077, 0, path)
})

/** Locks of this process on a file, as the kernel lists them; elsewhere than on Linux nobody does. */
function locksOn(file: string): number {
  if (process.platform !== 'linux') return 1
  const { ino } = statSync(file)
  const lines = readFileSync('/proc/locks', 'utf8').split('\n')
  return lines.filter((line) => line.includes(` ${process.pid} `) && line.includes(`:${ino} `))
    .length
}

test('opening a file a second time leaves the locks of the first', async () => {
  const file = freshFile()
  await using first = await SqliteStore.open(file)
  await first.insert([chore()])
  const before = locksOn(file)
  await using second = await SqliteStore.open(file)
  await second.ping()
  assert.ok(before > 0)
  assert.ok(locksOn(file) >= before)
})

test('a lock held by another program is waited for, and reported after its time', async () => {
  const file = freshFile()
  await using store = await SqliteStore.open(file, { busyMs: 30 })
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  await assert.rejects(store.insert([chore()]), (error) => hasCode(error, 'STORE_BUSY'))
  const inserting = store.insert([chore()])
  other.exec('rollback')
  assert.equal((await inserting).length, 1)
  other.close()
})

test('processes that race to migrate a fresh file all succeed, and do it once', () => {
  const file = freshFile()
  const open = `import { SqliteStore } from '${join(import.meta.dirname, '../../src/store/sqlite/store.ts')}'
    await using store = await SqliteStore.open('${file}')
    await store.ping()`
  const script = join(folder, 'open.mjs')
  writeFileSync(script, open)
  // `wait` alone answers 0 whatever became of them: each is waited for by name.
  const race = `pids=""
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ${process.execPath} --no-warnings ${script} & pids="$pids $!"; done
    for pid in $pids; do wait $pid; done`
  assert.doesNotThrow(() => execFileSync('sh', ['-ec', race]))
})
