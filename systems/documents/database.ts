import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The system's own database. Server and executors share it: who reads waits for nobody, who writes for the other's commit. */
export function openDatabase(location: string): DatabaseSync {
  mkdirSync(dirname(location), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(location, { timeout: 5000 })
  database.exec('pragma journal_mode = wal')
  return database
}
