import { randomUUIDv7 } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { scaled, settings } from './lib/settings.ts'
import { rate } from './lib/statistics.ts'

/**
 * The yardstick: what `node:sqlite` alone does with the least a queue needs. It never changes
 * together with a figure it is held against.
 */
const BATCH = 100
const BATCHED = scaled(200_000)
const SINGLE = scaled(20_000)
const PAYLOAD = Buffer.alloc(100, 'x')

using report = new Report('raw')
await using folder = await temporaryFolder()
const db = new DatabaseSync(join(folder.path, 'raw.db'))
db.exec(`
  pragma journal_mode = wal;
  pragma synchronous = ${settings.durability};
  create table job (id text primary key, state integer not null, run_at integer not null, payload blob not null);
  create index ready on job (run_at) where state = 0;
`)
const insert = db.prepare('insert into job (id, state, run_at, payload) values (?, 0, ?, ?)')
const claim = db.prepare(`
  update job set state = 1
  where rowid in (select rowid from job where state = 0 order by run_at limit ${BATCH})
  returning id, payload
`)
const remove = db.prepare('delete from job where id = ?')

const insertOne = () => insert.run(randomUUIDv7(), Date.now(), PAYLOAD)
const insertOneAwaited = async () => insertOne()

const transaction = (work: () => void) => {
  db.exec('begin immediate')
  work()
  db.exec('commit')
}

function insertBatched(count: number): void {
  for (let done = 0; done < count; done += BATCH)
    transaction(() => {
      for (let i = 0; i < BATCH; i++) insertOne()
    })
}

async function insertSingly(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await insertOneAwaited()
}

/** Deletes the hundred before and claims the next in one transaction, until none is left. */
function claimAndDelete(): void {
  let held: unknown[] = []
  do
    transaction(() => {
      for (const id of held) if (typeof id === 'string') remove.run(id)
      held = claim.all().map((row) => row['id'])
    })
  while (held.length > 0)
}

const add = (what: string, value: number) =>
  report.add({
    what,
    store: 'raw node:sqlite',
    durability: settings.durability.toUpperCase(),
    unit: 'jobs/s',
    value,
  })

insertBatched(BATCHED / 10)
claimAndDelete()
add('insert, 100 per transaction', await rate(BATCHED, () => insertBatched(BATCHED)))
add('claim and delete, 100 per transaction', await rate(BATCHED, claimAndDelete))
add('insert, 1 per transaction', await rate(SINGLE, () => insertSingly(SINGLE)))
db.close()
