import { type Clock, type Millis, systemClock } from '../../base/time.ts'
import type { About, Intake, Lookout, Store, Workbench } from '../contract.ts'
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
export class SqliteStore implements Store {
  readonly about: About
  readonly #connection: Connection
  readonly #intake: Intake
  readonly #workbench: Workbench
  readonly #lookout: Lookout

  private constructor(connection: Connection, durability: Durability) {
    this.about = {
      kind: 'sqlite',
      location: connection.location,
      durability: durability.toUpperCase(),
      ...(durability === 'normal' && { risk: 'a power cut may lose the last seconds' }),
      schema: SCHEMA,
    }
    this.#connection = connection
    this.#intake = new SqliteIntake(connection)
    this.#workbench = new SqliteWorkbench(connection)
    this.#lookout = new SqliteLookout(connection)
  }

  /**
   * Opens a file, or `:memory:`.
   * @throws ErrandError STORE_UNREACHABLE, STORE_CORRUPT, STORE_READONLY, SCHEMA_TOO_NEW, SCHEMA_OUTDATED
   */
  static async open(location: string, options: SqliteOptions = {}): Promise<SqliteStore> {
    const { clock = systemClock, migrate = true, busyMs = 5000 } = options
    // SQLite loses nothing more when it is allowed to.
    const durability = options.durability === 'none' ? 'normal' : (options.durability ?? 'full')
    return new SqliteStore(
      new Connection(location, { clock, durability, migrate, busyMs }),
      durability,
    )
  }

  [Symbol.asyncDispose] = () => this.#connection[Symbol.asyncDispose]()

  insert: Intake['insert'] = (...call) => this.#intake.insert(...call)
  cancel: Intake['cancel'] = (...call) => this.#intake.cancel(...call)
  retry: Intake['retry'] = (...call) => this.#intake.retry(...call)

  register: Workbench['register'] = (...call) => this.#workbench.register(...call)
  exchange: Workbench['exchange'] = (...call) => this.#workbench.exchange(...call)
  renew: Workbench['renew'] = (...call) => this.#workbench.renew(...call)
  note: Workbench['note'] = (...call) => this.#workbench.note(...call)
  sweep: Workbench['sweep'] = (...call) => this.#workbench.sweep(...call)
  retire: Workbench['retire'] = (...call) => this.#workbench.retire(...call)
  unpark: Workbench['unpark'] = (...call) => this.#workbench.unpark(...call)
  purge: Workbench['purge'] = (...call) => this.#workbench.purge(...call)
  expired: Workbench['expired'] = (...call) => this.#workbench.expired(...call)
  forget: Workbench['forget'] = (...call) => this.#workbench.forget(...call)
  bury: Workbench['bury'] = (...call) => this.#workbench.bury(...call)

  find: Lookout['find'] = (...call) => this.#lookout.find(...call)
  holder: Lookout['holder'] = (...call) => this.#lookout.holder(...call)
  list: Lookout['list'] = (...call) => this.#lookout.list(...call)
  attempts: Lookout['attempts'] = (...call) => this.#lookout.attempts(...call)
  logs: Lookout['logs'] = (...call) => this.#lookout.logs(...call)
  tally: Lookout['tally'] = (...call) => this.#lookout.tally(...call)
  workers: Lookout['workers'] = (...call) => this.#lookout.workers(...call)
  metrics: Lookout['metrics'] = (...call) => this.#lookout.metrics(...call)
  verify: Lookout['verify'] = (...call) => this.#lookout.verify(...call)
  listen: Lookout['listen'] = (...call) => this.#lookout.listen(...call)
  ping: Lookout['ping'] = (...call) => this.#lookout.ping(...call)
}
