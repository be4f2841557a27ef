import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { encodeJson } from '../../src/base/json.ts'
import { Client } from '../../src/client/client.ts'
import { Keyring } from '../../src/job/seal.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { bytes, DAY } from '../support/jobs.ts'
import { HandClock } from '../support/clock.ts'

const keyring = (id: string) =>
  Keyring.read(`${id}:${Buffer.alloc(32, id).toString('base64')}`) ?? assert.fail()
const KEYS = keyring('k1')

/** A log of so many entries in a file, and a hand that meddles with it. */
async function openLog(count: number, hasKeys = true) {
  const keys = hasKeys ? KEYS : undefined
  const folder = mkdtempSync(join(tmpdir(), 'errand-audit-'))
  const clock = new HandClock()
  const store: Store = await SqliteStore.open(join(folder, 'errand.db'), { clock })
  const client = new Client(store, [], { keys })
  const write = (person: string) => client.record('read', [], { person })
  for (let i = 1; i <= count; i++) await write(`person ${i}`)
  return {
    store,
    clock,
    write,
    check: async (head?: string, by: Keyring | undefined = keys) => {
      const watch = new Watch(store, by)
      const found = await watch.checkAudit(head)
      watch[Symbol.dispose]()
      return found
    },
    meddle: (sql: string) => {
      using database = new DatabaseSync(join(folder, 'errand.db'))
      database.exec(sql)
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

const REWRITE = "update audit set entry = cast(replace(entry, 'person 2', 'person 9') as blob)"

test('a log that nobody touched is as it was written, also by many at once', async () => {
  await using log = await openLog(0)
  const others = Array.from({ length: 4 }, () => new Client(log.store, [], { keys: KEYS }))
  const acts = others.flatMap((client, i) =>
    Array.from({ length: 10 }, () => client.record('read', [], { person: `${i}` })),
  )
  await Promise.all(acts)
  const { entries, by, faults, head } = await log.check()
  assert.deepEqual([entries, faults], [40, []])
  assert.deepEqual(by, { key: 40, 'unknown key': 0, 'no key': 0 })
  assert.match(head ?? '', /^40:[\w-]{43}$/)
})

test('an entry that was changed, also in its moment, is named', async () => {
  for (const sql of [REWRITE, 'update audit set at = at + 1 where n = 2']) {
    await using log = await openLog(4)
    log.meddle(sql)
    assert.deepEqual((await log.check()).faults, [{ n: 2, fault: 'altered' }])
  }
})

test('the newest entry that was changed is named, though none follows it', async () => {
  await using log = await openLog(2)
  log.meddle(REWRITE)
  assert.deepEqual((await log.check()).faults, [{ n: 2, fault: 'altered' }])
})

test('an entry that was taken out of the midst is missed', async () => {
  await using log = await openLog(5)
  log.meddle('delete from audit where n = 3')
  assert.deepEqual((await log.check()).faults, [{ n: 3, fault: 'missing' }])
})

test('entries that were cut off at the end are missed by who noted the head', async () => {
  await using log = await openLog(4)
  const { head } = await log.check()
  assert.deepEqual((await log.check(head)).faults, [])
  log.meddle('delete from audit where n > 2')
  assert.deepEqual((await log.check()).faults, [])
  assert.deepEqual((await log.check(head)).faults, [{ n: 4, fault: 'missing' }])
  await log.write('person 3')
  await log.write('person 4, made up')
  assert.deepEqual((await log.check(head)).faults, [{ n: 4, fault: 'missing' }])
})

test('what went by its age is not missed, nor is a head that went with it', async () => {
  await using log = await openLog(3)
  const { head } = await log.check()
  log.clock.advance(DAY)
  await log.write('person 4')
  await log.store.purge(10, DAY)
  const { entries, faults } = await log.check(head)
  assert.deepEqual([entries, faults], [1, []])
})

test('entries written without keys follow from each other all the same', async () => {
  await using log = await openLog(3, false)
  const { by, faults } = await log.check()
  assert.deepEqual([by['no key'], faults], [3, []])
  log.meddle(REWRITE)
  assert.deepEqual((await log.check()).faults, [{ n: 2, fault: 'altered' }])
})

test('who has another key is told so, and sees what does not follow', async () => {
  await using log = await openLog(3)
  const other = keyring('k2')
  const seen = await log.check(undefined, other)
  assert.deepEqual([seen.by['unknown key'], seen.faults], [3, []])
  log.meddle(REWRITE)
  assert.deepEqual((await log.check(undefined, other)).faults, [{ n: 2, fault: 'altered' }])
})

test('entries from before there were marks are let be; ones put in since are not', async () => {
  await using log = await openLog(0)
  const unmarked = encodeJson({ act: 'read', jobs: [] }) ?? bytes('')
  await log.store.audit(1, unmarked)
  await log.store.audit(2, unmarked)
  assert.deepEqual((await log.check()).faults, [])
  await log.write('person 3')
  assert.deepEqual((await log.check()).faults, [])
  await log.store.audit(4, unmarked)
  assert.deepEqual((await log.check()).faults, [{ n: 4, fault: 'unmarked' }])
})
