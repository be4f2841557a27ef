import { type Clock, systemClock } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import { WholeStore } from '../parts/whole.ts'
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
export class PostgresStore extends WholeStore {
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
    const about = {
      kind: 'postgres',
      location: connection.location,
      durability: connection.isLax ? 'synchronous_commit off' : 'synchronous_commit on',
      ...((durability === 'none' || connection.isLax) && {
        risk: 'the death of the server may lose the last second',
      }),
      schema: SCHEMA,
    }
    const kinds = new Kinds(connection)
    return new PostgresStore(about, {
      intake: new PostgresIntake(connection, kinds),
      workbench: new PostgresWorkbench(connection, kinds),
      lookout: new PostgresLookout(connection),
      close: () => connection[Symbol.asyncDispose](),
    })
  }
}
