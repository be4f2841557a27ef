import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { statements } from '../../base/statements.ts'
import type { Clock, Millis } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import { Batches } from './batches.ts'
import { Bells } from './bells.ts'
import { Checkpoints } from './checkpoints.ts'
import { isBusy, toErrand } from './fault.ts'
import { Limits } from './limits.ts'
import { migrate, pendingMigrations, SCHEMA, schemaOf } from './migrate.ts'
import { Turns } from './turns.ts'

export type Durability = 'full' | 'normal'
export type ConnectionOptions = {
  clock: Clock
  durability: Durability
  migrate: boolean
  busyMs: Millis
}

/** Opening may wait for another process that migrates; nothing else runs on this loop yet. */
const OPEN_WAIT_MS = 5000
const TRY_AGAIN_MS = 20

/** One open database file: its statements, its turns, its bells and its checkpoints. */
export class Connection implements AsyncDisposable {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly bells: Bells
  readonly turns: Turns
  readonly batches: Batches
  readonly limits: Limits
  readonly location: string
  readonly #checkpoints: Checkpoints
  readonly #begin: StatementSync
  readonly #commit: StatementSync

  /** @throws ErrandError STORE_UNREACHABLE, STORE_CORRUPT, STORE_READONLY, SCHEMA_TOO_NEW, SCHEMA_OUTDATED */
  constructor(
    location: string,
    { clock, durability, migrate: mayMigrate, busyMs }: ConnectionOptions,
  ) {
    const file = location === ':memory:' ? undefined : resolve(location)
    this.location = file ?? location
    this.clock = clock
    this.db = openFile(file, durability, mayMigrate)
    this.#begin = this.db.prepare('begin')
    this.#commit = this.db.prepare('commit')
    this.bells = new Bells(file)
    this.#checkpoints = new Checkpoints(file)
    this.limits = new Limits(this)
    this.batches = new Batches(this)
    const committed = () => this.#checkpoints.committed()
    this.turns = new Turns(this.db, {
      clock,
      bells: this.bells,
      file: this.location,
      busyMs,
      committed,
      last: (turn) => {
        this.batches.write(turn)
        this.limits.write(turn)
      },
    })
  }

  /** The statements of a `.sql` file beside this one, by name; a missing name is a bug seen at once. */
  prepare<Name extends string>(file: string, names: readonly Name[]): Record<Name, StatementSync> {
    const texts = statements(new URL(file, import.meta.url))
    const entries = names.map((name) => [
      name,
      this.db.prepare(texts[name] ?? `no statement ${name} in ${file}`),
    ])
    return Object.fromEntries(entries)
  }

  /** A read outside any turn: one moment of the database, however many statements it takes. */
  async read<T>(look: () => T): Promise<T> {
    if (!this.db.isOpen) throw new ErrandError('STORE_CLOSED', {})
    try {
      this.#begin.run()
      return look()
    } catch (error) {
      throw toErrand(error, this.location)
    } finally {
      if (this.db.isTransaction) this.#commit.run()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkpoints[Symbol.asyncDispose]()
    this.bells[Symbol.dispose]()
    if (this.db.isOpen) this.db.close()
  }
}

function openFile(
  file: string | undefined,
  durability: Durability,
  mayMigrate: boolean,
): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    if (file !== undefined) createPrivately(file)
    db = new DatabaseSync(file ?? ':memory:', { timeout: OPEN_WAIT_MS })
    writeAhead(db)
    db.exec(`pragma synchronous = ${durability}; pragma wal_autocheckpoint = 0;
             pragma cache_size = -65536; pragma temp_store = memory`)
    const pending = pendingMigrations(db)
    if (pending.length > 0 && !mayMigrate)
      throw new ErrandError('SCHEMA_OUTDATED', { found: schemaOf(db), known: SCHEMA })
    migrate(db)
    // From here on a taken lock is waited for by a timer, never by SQLite.
    db.exec('pragma busy_timeout = 0')
    return db
  } catch (error) {
    db?.close()
    throw toErrand(error, file ?? ':memory:')
  }
}

/** Takes a fresh file alone for a moment. Where two want that at once, SQLite refuses both without a wait. */
function writeAhead(db: DatabaseSync): void {
  const until = performance.now() + OPEN_WAIT_MS
  for (;;)
    try {
      return db.exec('pragma journal_mode = wal')
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      Atomics.wait(NEVER, 0, 0, 1 + Math.random() * TRY_AGAIN_MS)
    }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4))

/**
 * SQLite would create the file readable to others; the log and its index take over these rights. One
 * that is there is left alone: closing it by any other way than SQLite's own would drop the locks that
 * this process holds on it, and another program could then remove the log under us.
 * @see https://sqlite.org/howtocorrupt.html section 2.2
 */
function createPrivately(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // Another process was faster.
    if (code === 'EEXIST') return
    if (code === 'EACCES' || code === 'EROFS')
      throw new ErrandError('STORE_READONLY', { file }, { cause: error })
    if (code === 'ENOSPC') throw new ErrandError('STORE_FULL', {}, { cause: error })
    throw new ErrandError(
      'STORE_UNREACHABLE',
      { why: `the file ${file} cannot be created` },
      { cause: error },
    )
  }
}
