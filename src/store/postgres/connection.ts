import { randomInt } from 'node:crypto'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type ClientConfig, Pool, type PoolClient, type QueryResultRow } from 'pg'
import { failpoint, isArmed } from '../../base/failpoint.ts'
import { type Clock, type Millis, systemClock } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import { Bells } from './bells.ts'
import { isLost, isUndone, isUnprepared, toErrand } from './fault.ts'
import { Line } from './line.ts'
import { migrate, type Standing } from './migrate.ts'
import { inSchema, MARK } from './statements.ts'

export type Durability = 'full' | 'normal' | 'none'
export type ConnectionOptions = {
  clock: Clock
  durability: Durability
  migrate: boolean
  schema: string
}
export type Values = readonly (string | number | boolean | Uint8Array | null)[]
export type Row = Record<string, string | null>

/** What comes often has a line of its own; renewing, above all, never waits for what others do. */
type LineName = 'inserts' | 'exchanges' | 'renewals' | 'looks'

type How = {
  /** Whether it may be sent again when its reply was lost. */
  again?: boolean
  /** The line that it takes: there nothing slow stands before it. */
  along?: LineName
  /** Under which a connection remembers the statement. */
  name?: string
}

const CONNECT_MS = 2000
const QUERY_MS = 3000
/** For what reads or rewrites everything. */
const LONG_MS = 600_000
const CLOSE_MS = 1000
const POOL_MAX = 3
const TRIES_MAX = 5
/** A repeat is worth its wait only while its caller still listens. */
const REPEAT_MS = 2500
const BREATH_MS = 20
/** To plan a look by id takes longer than to do it. Along its index it goes even where the table is new and small. */
const PLAN_ONCE = `set plan_cache_mode = force_generic_plan; set enable_seqscan = off;
  set enable_hashjoin = off; set enable_mergejoin = off; set jit = off`
/** Counters are spread over this many rows a queue. */
const SLOTS = 32

/** One database: its connections, its bells, and what it was when we first saw it. */
export class Connection implements AsyncDisposable {
  readonly clock: Clock
  readonly bells: Bells
  readonly schema: string
  readonly location: string
  /** Commits are answered before they are on disk. */
  readonly isLax: boolean
  readonly slot = randomInt(SLOTS)
  readonly #pool: Pool
  readonly #lines: Record<LineName, Line>
  readonly #identity: string
  readonly #texts = new Map<string, string>()
  #isPrepared = true
  readonly #sockets: ReadonlySet<Socket>
  #isClosed = false

  private constructor(
    config: ClientConfig,
    { clock, durability, schema }: ConnectionOptions,
    { identity, isAsync, isPooled }: Standing,
    sockets: ReadonlySet<Socket>,
  ) {
    this.#sockets = sockets
    this.clock = clock
    this.schema = schema
    this.location = place(config)
    this.#identity = identity
    this.isLax = durability === 'normal' && !isPooled
    const commits = this.isLax ? 'off' : isAsync && !isPooled ? 'on' : undefined
    const greet = (client: Client | PoolClient) => this.#greet(client, commits)
    // Heard by whoever calls; unheard it would end the process, also between two calls.
    const hear = () => undefined
    this.#pool = new Pool({
      ...config,
      max: POOL_MAX,
      verify: (client: PoolClient, done: (error?: Error) => void) =>
        void greet(client).then(() => done(), done),
    })
      .on('error', hear)
      .on('connect', (client) => void client.on('error', hear))
    this.#lines = {
      inserts: new Line(config, greet),
      exchanges: new Line(config, greet),
      renewals: new Line(config, greet),
      looks: new Line(config, async (client) => {
        await greet(client)
        if (!isPooled) await client.query(PLAN_ONCE)
      }),
    }
    this.bells = new Bells(config, schema, isPooled)
  }

  /** @throws ErrandError STORE_UNREACHABLE, STORE_UNSAFE, SCHEMA_TOO_NEW, SCHEMA_OUTDATED */
  static async open(url: string, options: ConnectionOptions): Promise<Connection> {
    const sockets = new Set<Socket>()
    const config = {
      connectionString: url,
      stream: () => keep(sockets),
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      keepAlive: true,
      application_name: 'errand',
      types: { getTypeParser: () => (text: string) => text },
    }
    const client = new Client({ ...config, query_timeout: LONG_MS })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return new Connection(
        { ...config, ...target(client) },
        options,
        await migrate(client, options),
        sockets,
      )
    } catch (error) {
      throw toErrand(error)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** Which database this is, whatever its name. @throws ErrandError STORE_CLOSED */
  get identity(): string {
    this.#refuseClosed()
    return this.#identity
  }

  /** The hand clock's moment; null asks the server for its own. */
  get now(): Millis | null {
    return this.clock === systemClock ? null : this.clock.now()
  }

  /** Calls a function of ours: one statement, one transaction, one trip. */
  async call(verb: string, name: string, values: Values, how: How = {}): Promise<Row[]> {
    if (isArmed()) failpoint(`${verb}.before_commit`)
    const rows = await this.#run(this.#callText(name, values.length), values, {
      ...how,
      name: `${name}_${MARK}`,
    })
    if (isArmed()) failpoint(`${verb}.after_commit`)
    return rows
  }

  /** A statement of `look.sql`, already in its schema; with a name one that comes often, and is planned once. */
  look(text: string, values: Values = [], name?: string): Promise<Row[]> {
    const often = name === undefined ? {} : ({ along: 'looks', name: `${name}_${MARK}` } as const)
    return this.#run(text, values, { again: true, ...often })
  }

  /** Several statements in one snapshot, or one transaction; however long they take. */
  async within<T>(
    how: string,
    work: (ask: (text: string, values?: Values) => Promise<Row[]>) => Promise<T>,
  ): Promise<T> {
    this.#refuseClosed()
    let client: PoolClient | undefined
    let isWhole = false
    try {
      client = await this.#pool.connect()
      const given = client
      const ask = async (text: string, values: Values = []) => {
        const patient = { text, values: [...values], query_timeout: LONG_MS }
        return (await given.query<Row>(patient)).rows
      }
      await ask(`begin ${how}`)
      const value = await work(ask)
      await ask('commit')
      isWhole = true
      return value
    } catch (error) {
      throw toErrand(error)
    } finally {
      client?.release(!isWhole)
    }
  }

  async #run(text: string, values: Values, { again, along, name }: How): Promise<Row[]> {
    const since = performance.now()
    for (let tries = 1; ; tries++) {
      this.#refuseClosed()
      const named = name !== undefined && this.#isPrepared && { name }
      try {
        const query = { text, values: [...values], ...named }
        const way = along && this.#lines[along]
        return (await (way ? way.query<Row>(query) : this.#pool.query<Row>(query))).rows
      } catch (error) {
        // A pooler gives each transaction another server, which knows no statement of ours: it did nothing.
        if (named && isUnprepared(error)) {
          this.#isPrepared = false
          continue
        }
        // Two calls waited for each other and this one was undone: nothing of it is left.
        const isFree = isUndone(error) && tries < TRIES_MAX
        const isWorth = again && isLost(error) && performance.now() - since < REPEAT_MS
        if (!isFree && !isWorth) throw toErrand(error)
        await sleep(BREATH_MS * (1 + Math.random()))
      }
    }
  }

  #callText(name: string, count: number): string {
    const known = this.#texts.get(name)
    if (known !== undefined) return known
    const places = Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ')
    const text = inSchema(this.schema, `select * from errand.${name}(${places})`)
    this.#texts.set(name, text)
    return text
  }

  /** Every new connection is asked whether it leads to the database we know. */
  async #greet(client: Client | PoolClient, commits: string | undefined): Promise<void> {
    const text = inSchema(this.schema, 'select identity from errand.store')
    const { rows } = await client.query<QueryResultRow>(text)
    if (rows[0]?.identity !== this.#identity)
      throw new ErrandError('STORE_CHANGED', { why: 'its identity is another' })
    if (commits !== undefined) await client.query(`set synchronous_commit = ${commits}`)
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new ErrandError('STORE_CLOSED', {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const lines = Object.values(this.#lines).map((line) => line[Symbol.asyncDispose]())
    const closed = [this.bells[Symbol.asyncDispose](), this.#pool.end(), ...lines]
    await Promise.race([Promise.all(closed), sleep(CLOSE_MS, undefined, { ref: false })])
    // The other end of a line may be gone without a word: it will not say goodbye.
    for (const socket of this.#sockets) socket.destroy()
  }
}

function keep(sockets: Set<Socket>): Socket {
  const socket = new Socket()
  sockets.add(socket.once('close', () => sockets.delete(socket)))
  return socket
}

const target = ({ host, port, database }: Client) => ({ host, port, database })

/** Where it is, for people: no user and no password. */
const place = ({ host, port, database }: ClientConfig): string => `${host}:${port}/${database}`
