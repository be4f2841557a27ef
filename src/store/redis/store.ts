import type { Clock } from '../../base/time.ts'
import { WholeStore } from '../parts/whole.ts'
import { Connection, type Durability } from './connection.ts'
import { RedisIntake } from './intake.ts'
import { Kinds } from './kinds.ts'
import { RedisLookout } from './lookout.ts'
import { RedisWorkbench } from './workbench.ts'

/** What each way of keeping may lose. */
const RISKS: Record<string, string> & { AOF: string } = {
  'AOF always': '',
  AOF: 'a power cut may lose the last two seconds, the death of the server what it was about to append',
  none: 'the end of the server loses what it holds',
}
const FAILOVER = 'a failover may lose what the replica had not received'

export type RedisOptions = {
  /** Lent by tests; else the time is the server's own. */
  clock?: Clock
  /** `none`: a server that keeps nothing, or that evicts, is taken too. */
  durability?: Durability
  /** There is one layout so far: nothing is to be brought to it. */
  migrate?: boolean
  /** What all keys begin with, between braces; `errand` unless said, here or as `?prefix=`. */
  prefix?: string
}

/** Everything under one prefix of Redis, shared by any number of processes and machines. */
export class RedisStore extends WholeStore {
  /**
   * Opens `redis://`, `redis-sentinel://` or `redis-cluster://`, or the same with `rediss`.
   * @throws ErrandError STORE_UNREACHABLE, STORE_UNSAFE, STORE_FULL, SCHEMA_TOO_NEW, INVALID_OPTION
   */
  static async open(url: string, options: RedisOptions = {}): Promise<RedisStore> {
    const connection = await Connection.open(url, {
      clock: options.clock,
      durability: options.durability ?? 'full',
      prefix: options.prefix,
    })
    const { location, durability, schema, mayFailOver } = connection
    const risks = [RISKS[durability] ?? RISKS.AOF, mayFailOver ? FAILOVER : '']
    const risk = risks.filter((one) => one !== '').join('; ')
    const about = { kind: 'redis', location, durability, schema, ...(risk !== '' && { risk }) }
    const kinds = new Kinds(connection)
    return new RedisStore(about, {
      intake: new RedisIntake(connection, kinds),
      workbench: new RedisWorkbench(connection, kinds),
      lookout: new RedisLookout(connection, kinds),
      close: () => connection[Symbol.asyncDispose](),
    })
  }
}
