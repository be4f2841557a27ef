import type { Transaction } from 'errand'
import { Pool } from 'pg'
import {
  type BatchRecord,
  type Key,
  type NewRecord,
  type Records,
  SCHEMA,
  toRecord,
  valuesOf,
  WAITING_MAX,
} from './records.ts'

const INSERT = `
  insert into domain_batch
    (tenant, batch_id, id, user_id, domains, max_pages, max_concurrent, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict do nothing`

const SOCKETS = 4
/** One process makes the tables; those that come at the same moment wait for it. */
const LOCK = 7_472_001

/** Records in PostgreSQL, in a schema of their own beside Errand's. */
export class PostgresRecords implements Records {
  readonly #pool: Pool
  /** Whether Errand's store is the same database. */
  readonly #isOne: boolean

  private constructor(pool: Pool, isOne: boolean) {
    this.#pool = pool
    this.#isOne = isOne
  }

  static async open(database: string, isOne: boolean): Promise<PostgresRecords> {
    const url = new URL(database)
    const errands = url.searchParams.get('schema') ?? 'errand'
    url.searchParams.delete('schema')
    const schema = errands === 'errand' ? 'domains' : `${errands}_domains`
    const pool = new Pool({
      connectionString: url.href,
      max: SOCKETS,
      // A server that was told to stop does not stay for connections nobody uses.
      allowExitOnIdle: true,
      options: `-c search_path="${schema}"`,
    })
    // A connection that breaks while nobody uses it is replaced at the next query.
    pool.on('error', () => undefined)
    const records = new PostgresRecords(pool, isOne)
    await records.#within(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [LOCK])
      await tx.query(`create schema if not exists "${schema}"`)
      await tx.query(SCHEMA)
    })
    return records
  }

  async add(
    record: NewRecord,
    submit: (tx?: Transaction) => Promise<unknown>,
  ): Promise<BatchRecord> {
    const isNew = await this.#within(async (tx) => {
      const { rowCount } = await tx.query(INSERT, valuesOf(record))
      if (rowCount === 1 && this.#isOne) await submit(tx)
      return rowCount === 1
    })
    const there = await this.find(record)
    if (there === undefined) throw new Error('a record that was stored is gone')
    if (!this.#isOne && (isNew || there.handedAt === undefined)) await submit()
    return there
  }

  async find({ tenant, batchId }: Key): Promise<BatchRecord | undefined> {
    const select = 'select * from domain_batch where tenant = $1 and batch_id = $2'
    const { rows } = await this.#pool.query(select, [tenant, batchId])
    return rows.map(toRecord)[0]
  }

  async list(tenant: string, limit: number): Promise<BatchRecord[]> {
    const select = 'select * from domain_batch where tenant = $1 order by created_at desc limit $2'
    const { rows } = await this.#pool.query(select, [tenant, limit])
    return rows.map(toRecord)
  }

  async waiting(before: number): Promise<BatchRecord[]> {
    const select = `
      select * from domain_batch
      where handed_at is null and cancelled_at is null and created_at < $1
      order by created_at limit ${WAITING_MAX}`
    const { rows } = await this.#pool.query(select, [before])
    return rows.map(toRecord)
  }

  async handed(id: string): Promise<void> {
    const update = 'update domain_batch set handed_at = $1 where id = $2 and handed_at is null'
    await this.#pool.query(update, [Date.now(), id])
  }

  async isCancelled(id: string): Promise<boolean> {
    const select = 'select 1 from domain_batch where id = $1 and cancelled_at is not null'
    return (await this.#pool.query(select, [id])).rowCount === 1
  }

  async cancel(id: string, at: number | undefined): Promise<void> {
    await this.#pool.query('update domain_batch set cancelled_at = $1 where id = $2', [at, id])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #within<T>(work: (tx: Transaction & Queries) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    const query: Queries['query'] = (text, values) => client.query(text, values && [...values])
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

type Queries = {
  query(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rowCount: number | null; rows: Record<string, unknown>[] }>
}
