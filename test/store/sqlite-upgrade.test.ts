import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { SCHEMA } from '../../src/store/sqlite/migrate.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { HandClock } from '../support/clock.ts'
import { Hand, running } from '../support/hand.ts'
import { chore, completed, DAY } from '../support/jobs.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-upgrade-'))
after(() => rmSync(folder, { recursive: true }))

test('what ended under an older release goes in its time', async () => {
  const [file, clock] = [join(folder, 'older.db'), new HandClock()]
  {
    await using store = await SqliteStore.open(file, { clock })
    const worker = await Hand.register(store)
    await worker.settle(await running(store, worker, chore()), completed({ keepMs: DAY }))
  }
  const db = new DatabaseSync(file)
  // As the second step left it.
  db.exec(`drop table audit; drop table drops; drop table step; drop table entry; drop table mail; drop table awaited; drop index job_wakes; drop index body_parent;
    drop table batch; drop table limit_key; drop table fair; drop index job_held; drop index job_held_line; alter table job drop column held;
    alter table body drop column limits; drop table rate; drop table taken;
    alter table body drop column batch; alter table body drop column item;
    alter table body drop column parent; alter table body drop column called;
    alter table job drop column wakes_at; alter table job drop column purge_at; pragma user_version = 2`)
  db.close()

  await using store = await SqliteStore.open(file, { clock })
  assert.equal(store.about.schema, SCHEMA)
  assert.deepEqual(await store.verify(), [])
  clock.advance(DAY - 1)
  assert.equal((await store.purge(10)).erased, 0)
  clock.advance(1)
  assert.equal((await store.purge(10)).erased, 1)
})
