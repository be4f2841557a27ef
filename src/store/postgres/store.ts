import { type Clock, systemClock } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import type { About, Intake, Lookout, Store, Workbench } from '../contract.ts'
import { Connection, type Durability } from './connection.ts'
import { PostgresIntake } from './intake.ts'
import { Kinds } from './kinds.ts'
import { PostgresLookout } from './lookout.ts'
import { SCHEMA } from './migrate.ts'
import { PostgresWorkbench } from './workbench.ts'

export type PostgresOptions = {
  clock?: Clock
  /**
   * `full`: a commit is on disk before it is answered. `normal`: a power cut may lose the last second.
   * `none`: accepts a server that is set to lose more.
   */
  durability?: Durability
  /** Brings an older schema to this release when it is opened; so unless false. */
  migrate?: boolean
  /** The schema that holds our tables; `errand` unless said. */
  schema?: string
}

/** Everything in one schema of a PostgreSQL database, shared by any number of machines. */
export class PostgresStore implements Store {
  readonly about: About
  readonly #connection: Connection
  readonly #intake: Intake
  readonly #workbench: Workbench
  readonly #lookout: Lookout

  private constructor(connection: Connection, durability: Durability) {
    this.about = {
      kind: 'postgres',
      location: connection.location,
      durability: durability === 'normal' ? 'synchronous_commit off' : 'synchronous_commit on',
      ...(durability !== 'full' && { risk: 'the death of the server may lose the last second' }),
      schema: SCHEMA,
    }
    this.#connection = connection
    const kinds = new Kinds(connection)
    this.#intake = new PostgresIntake(connection, kinds)
    this.#workbench = new PostgresWorkbench(connection, kinds)
    this.#lookout = new PostgresLookout(connection)
  }

  /**
   * Opens a database by its URL; `?schema=` names the schema.
   * @throws ErrandError INVALID_OPTION, STORE_UNREACHABLE, STORE_UNSAFE, SCHEMA_TOO_NEW, SCHEMA_OUTDATED, UNKNOWN_STORE
   */
  static async open(url: string, options: PostgresOptions = {}): Promise<PostgresStore> {
    const { clock = systemClock, durability = 'full', migrate = true } = options
    const place = URL.parse(url)
    if (place === null) throw new ErrandError('UNKNOWN_STORE', { url: 'given' })
    const schema = options.schema ?? place.searchParams.get('schema') ?? 'errand'
    // It becomes part of statements.
    if (!/^[a-z][a-z0-9_]{0,39}$/.test(schema))
      throw new ErrandError('INVALID_OPTION', {
        option: 'schema',
        problem: 'needs up to 40 lower-case letters, digits and underscores',
      })
    place.searchParams.delete('schema')
    const connection = await Connection.open(place.href, { clock, durability, migrate, schema })
    return new PostgresStore(connection, durability)
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
