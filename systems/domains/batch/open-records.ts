import { isPostgres } from '../settings.ts'
import type { Records } from './records.ts'

/** Opens the records; the driver of the other database is never loaded. */
export async function openRecords(database: string, store: string): Promise<Records> {
  if (isPostgres(database)) {
    const { PostgresRecords } = await import('./records-postgres.ts')
    return new PostgresRecords(database, database === store)
  }
  const { SqliteRecords } = await import('./records-sqlite.ts')
  return new SqliteRecords(database.replace(/^sqlite:/, ''))
}
