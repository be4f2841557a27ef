import type { Clock } from '../../base/time.ts'
import type { About, Intake, Lookout, Store, Workbench } from '../contract.ts'
import { Connection, type Durability } from './connection.ts'
import { RedisIntake } from './intake.ts'
import { Kinds } from './kinds.ts'
import { RedisLookout } from './lookout.ts'
import { RedisWorkbench } from './workbench.ts'

/** What each way of keeping may lose. */
const RISKS: Record<string, string> & { AOF: string } = {
  'AOF always': '',
  AOF: 'a power cut may lose the last two seconds; the death of the server loses nothing',
  none: 'the end of the server loses what it holds',
}

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

/** Everything under one prefix of a Redis server, shared by any number of processes and machines. */
export class RedisStore implements Store {
  readonly about: About
  readonly #connection: Connection
  readonly #intake: Intake
  readonly #workbench: Workbench
  readonly #lookout: Lookout

  private constructor(connection: Connection) {
    const { location, durability, schema } = connection
    const risk = RISKS[durability] ?? RISKS.AOF
    this.about = { kind: 'redis', location, durability, schema, ...(risk !== '' && { risk }) }
    this.#connection = connection
    const kinds = new Kinds(connection)
    this.#intake = new RedisIntake(connection, kinds)
    this.#workbench = new RedisWorkbench(connection, kinds)
    this.#lookout = new RedisLookout(connection, kinds)
  }

  /**
   * Opens `redis://` or `rediss://`.
   * @throws ErrandError STORE_UNREACHABLE, STORE_UNSAFE, STORE_FULL, SCHEMA_TOO_NEW, INVALID_OPTION
   */
  static async open(url: string, options: RedisOptions = {}): Promise<RedisStore> {
    const { clock, durability = 'full', prefix } = options
    return new RedisStore(await Connection.open(url, { clock, durability, prefix }))
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
