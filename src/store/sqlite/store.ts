import { type Clock, type Millis, systemClock } from '../../base/time.ts'
import { WholeStore } from '../parts/whole.ts'
import { Connection, type Durability } from './connection.ts'
import { SqliteIntake } from './intake.ts'
import { SqliteLookout } from './lookout.ts'
import { SCHEMA } from './migrate.ts'
import { SqliteWorkbench } from './workbench.ts'

export type SqliteOptions = {
  clock?: Clock
  /** `full`: a commit survives a power cut. `normal`: it survives the death of processes only. */
  durability?: Durability | 'none'
  /** Brings an older file to this release's schema when it is opened; so unless false. */
  migrate?: boolean
  /** How long a lock held by another process is waited for; 5 s unless said. */
  busyMs?: Millis
}

/** Everything in one SQLite file, shared by any number of processes of one machine. */
export class SqliteStore extends WholeStore {
  /**
   * Opens a file, or `:memory:`.
   * @throws ErrandError STORE_UNREACHABLE, STORE_CORRUPT, STORE_READONLY, SCHEMA_TOO_NEW, SCHEMA_OUTDATED
   */
  static async open(location: string, options: SqliteOptions = {}): Promise<SqliteStore> {
    const { clock = systemClock, migrate = true, busyMs = 5000 } = options
    // SQLite loses nothing more when it is allowed to.
    const durability = options.durability === 'none' ? 'normal' : (options.durability ?? 'full')
    const connection = new Connection(location, { clock, durability, migrate, busyMs })
    const about = {
      kind: 'sqlite',
      location: connection.location,
      durability: durability.toUpperCase(),
      ...(durability === 'normal' && { risk: 'a power cut may lose the last seconds' }),
      schema: SCHEMA,
    }
    return new SqliteStore(about, {
      intake: new SqliteIntake(connection),
      workbench: new SqliteWorkbench(connection),
      lookout: new SqliteLookout(connection),
      close: () => connection[Symbol.asyncDispose](),
    })
  }
}
