import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const HANDLER_WAIT_MS = 5000
/** While a server waits it answers nobody. */
export const SERVER_WAIT_MS = 1000

const SQLITE_BUSY = 5

/** Whether another holds the database for longer than we wait. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY

/** The system's own database. Server and executors share it: who reads waits for nobody, who writes for the other's commit. */
export function openDatabase(location: string, waitMs = HANDLER_WAIT_MS): DatabaseSync {
  mkdirSync(dirname(location), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(location, { timeout: waitMs })
  database.exec('pragma journal_mode = wal')
  return database
}

/** Does all of some writes or none of them, with one commit. */
export function atOnce<Result>(database: DatabaseSync, write: () => Result): Result {
  database.exec('begin immediate')
  try {
    const result = write()
    database.exec('commit')
    return result
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}
