import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { ErrandError } from '../../job/errors.ts'

export type Migration = { version: number; name: string; sql: string }

const FOLDER = new URL('./migrations/', import.meta.url)

/** Every step from an empty file to this release's schema, in order. */
export const MIGRATIONS: readonly Migration[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.sql'))
  .toSorted()
  .map((file) => ({
    version: Number.parseInt(file, 10),
    name: file,
    sql: readFileSync(new URL(file, FOLDER), 'utf8'),
  }))

/** What a file of schema `found` still needs. */
export const pendingSince = (found: number): readonly Migration[] =>
  MIGRATIONS.filter(({ version }) => version > found)

export const SCHEMA = MIGRATIONS.at(-1)?.version ?? 0

/** "ERRD": tells our files from other programs' databases. */
const APPLICATION = 0x45525244

/** The schema a file has; 0 when it is empty. @throws ErrandError STORE_UNREACHABLE when it is not ours */
export function schemaOf(db: DatabaseSync): number {
  const found = Number(db.prepare('pragma user_version').get()?.user_version)
  const application = Number(db.prepare('pragma application_id').get()?.application_id)
  const tables = Number(db.prepare('select count(*) as n from sqlite_schema').get()?.n)
  if (tables > 0 && application !== APPLICATION)
    throw new ErrandError('STORE_UNREACHABLE', {
      why: 'the file is the database of another program',
    })
  return found
}

/** The steps a file still lacks. @throws ErrandError SCHEMA_TOO_NEW */
export function pendingMigrations(db: DatabaseSync): Migration[] {
  const found = schemaOf(db)
  if (found > SCHEMA) throw new ErrandError('SCHEMA_TOO_NEW', { found, known: SCHEMA })
  return [...pendingSince(found)]
}

/** Brings a file to this release's schema. Processes that race do it once: the second finds nothing to do. */
export function migrate(db: DatabaseSync): void {
  if (pendingMigrations(db).length === 0) return
  db.exec('begin immediate')
  try {
    for (const { version, sql } of pendingMigrations(db)) {
      db.exec(sql)
      db.exec(`pragma user_version = ${version}; pragma application_id = ${APPLICATION}`)
    }
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}
