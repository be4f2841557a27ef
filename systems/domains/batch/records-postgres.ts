import { ErrandError, type Transaction } from 'errand'
import { Pool } from 'pg'
import {
  type BatchRecord,
  type Key,
  type NewRecord,
  type Records,
  SCHEMA,
  toRecord,
  valuesOf,
  SOME,
  type Submit,
} from './records.ts'

const INSERT = `
  insert into domain_batch
    (tenant, batch_id, id, user_id, domains, max_pages, max_concurrent, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict do nothing`

const SOCKETS = 2
/** A server that says nothing for so long is not there. */
const SILENT_MS = 4000
/** One process makes the tables; those that come at the same moment wait for it. */
const LOCK = 7_472_001

/** Records in PostgreSQL, in a schema of their own beside Errand's. */
export class PostgresRecords implements Records {
  readonly #pool: Pool
  /** Whether Errand's store is the same database. */
  readonly #isOne: boolean
  readonly #schema: string
  #made: Promise<void> | undefined

  /** Nothing is asked of the server yet: it may be up later than we are. */
  constructor(database: string, isOne: boolean) {
    const url = new URL(database)
    const errands = url.searchParams.get('schema') ?? 'errand'
    url.searchParams.delete('schema')
    const schema = errands === 'errand' ? 'domains' : `${errands}_domains`
    this.#isOne = isOne
    this.#schema = schema
    this.#pool = new Pool({
      connectionString: url.href,
      max: SOCKETS,
      connectionTimeoutMillis: SILENT_MS,
      query_timeout: SILENT_MS,
      keepAlive: true,
      // A server that was told to stop does not stay for connections nobody uses.
      allowExitOnIdle: true,
      options: `-c search_path="${schema}"`,
    })
    // A connection that breaks while nobody uses it is replaced at the next query.
    this.#pool.on('error', () => undefined)
  }

  async add(record: NewRecord, submit: Submit): Promise<BatchRecord> {
    const isNew = await this.#within(async (tx) => {
      const { rowCount } = await tx.query(INSERT, valuesOf(record))
      if (rowCount === 1 && this.#isOne) await submit(record, tx)
      return rowCount === 1
    })
    const there = await this.find(record)
    if (there === undefined) throw new Error('a record that was stored is gone')
    if (!this.#isOne && (isNew || there.handedAt === undefined)) await submit(there)
    return there
  }

  async find({ tenant, batchId }: Key): Promise<BatchRecord | undefined> {
    const select = 'select * from domain_batch where tenant = $1 and batch_id = $2'
    const { rows } = await this.#query(select, [tenant, batchId])
    return rows.map(toRecord)[0]
  }

  async list(tenant: string, limit: number): Promise<BatchRecord[]> {
    const select = 'select * from domain_batch where tenant = $1 order by created_at desc limit $2'
    const { rows } = await this.#query(select, [tenant, limit])
    return rows.map(toRecord)
  }

  async waiting(before: number): Promise<BatchRecord[]> {
    const select = `
      select * from domain_batch
      where handed_at is null and cancelled_at is null and created_at < $1
      order by created_at limit ${SOME}`
    const { rows } = await this.#query(select, [before])
    return rows.map(toRecord)
  }

  async cancelled(since: number): Promise<BatchRecord[]> {
    const select = `select * from domain_batch where cancelled_at >= $1 limit ${SOME}`
    return (await this.#query(select, [since])).rows.map(toRecord)
  }

  async old(before: number): Promise<BatchRecord[]> {
    const select = `
      select * from domain_batch
      where created_at < $1 order by created_at limit ${SOME}`
    return (await this.#query(select, [before])).rows.map(toRecord)
  }

  async remove(id: string): Promise<void> {
    await this.#query('delete from domain_batch where id = $1', [id])
  }

  async handed(id: string): Promise<void> {
    const update = 'update domain_batch set handed_at = $1 where id = $2 and handed_at is null'
    await this.#query(update, [Date.now(), id])
  }

  async isCancelled(id: string): Promise<boolean> {
    const select = 'select 1 from domain_batch where id = $1 and cancelled_at is not null'
    return (await this.#query(select, [id])).rowCount === 1
  }

  async cancel(id: string, at: number | undefined): Promise<void> {
    await this.#query('update domain_batch set cancelled_at = $1 where id = $2', [at, id])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  /** The tables are made by whoever asks first. */
  #ready(): Promise<void> {
    this.#made ??= this.#transact(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [LOCK])
      await tx.query(`create schema if not exists "${this.#schema}"`)
      await tx.query(SCHEMA)
    }).catch((error: unknown) => {
      this.#made = undefined
      throw error
    })
    return this.#made
  }

  async #query(...[text, values]: Parameters<Queries['query']>): ReturnType<Queries['query']> {
    await this.#ready()
    return this.#pool.query(text, values && [...values]).catch(unreachable)
  }

  async #within<T>(work: (tx: Transaction & Queries) => Promise<T>): Promise<T> {
    await this.#ready()
    return this.#transact(work)
  }

  async #transact<T>(work: (tx: Transaction & Queries) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch(unreachable)
    const query: Queries['query'] = (text, values) =>
      client.query(text, values && [...values]).catch(unreachable)
    let isBroken = true
    try {
      await query('begin')
      const done = await work({ query })
      await query('commit')
      isBroken = false
      return done
    } finally {
      // A connection whose transaction did not end well is closed, which rolls it back.
      client.release(isBroken)
    }
  }
}

/** A statement of ours that its server refuses is a mistake; whatever else goes wrong is an outage. */
function unreachable(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (/^(?!08|53|57)[0-9A-Z]{5}$/.test(code)) throw error
  throw new ErrandError('STORE_UNREACHABLE', { why: code || 'no answer' }, { cause: error })
}

type Queries = {
  query(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rowCount: number | null; rows: Record<string, unknown>[] }>
}
