import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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
  insert or ignore into domain_batch
    (tenant, batch_id, id, user_id, domains, max_pages, max_concurrent, created_at)
  values (?, ?, ?, ?, ?, ?, ?, ?)`

/** Records in a file, which the processes of one machine share. */
export class SqliteRecords implements Records {
  readonly #database: DatabaseSync

  constructor(location: string) {
    mkdirSync(dirname(location), { recursive: true, mode: 0o700 })
    // Servers and executors share the file, so each waits for the other's commit.
    this.#database = new DatabaseSync(location, { timeout: 5000 })
    this.#database.exec(`pragma journal_mode = wal; pragma synchronous = full; ${SCHEMA}`)
  }

  async add(record: NewRecord, submit: Submit): Promise<BatchRecord> {
    this.#database.prepare(INSERT).run(...valuesOf(record))
    const there = await this.find(record)
    if (there === undefined) throw new Error('a record that was stored is gone')
    if (there.createdAt === record.createdAt || there.handedAt === undefined) await submit(there)
    return there
  }

  async find({ tenant, batchId }: Key): Promise<BatchRecord | undefined> {
    const select = 'select * from domain_batch where tenant = ? and batch_id = ?'
    const row = this.#database.prepare(select).get(tenant, batchId)
    return row && toRecord(row)
  }

  async list(tenant: string, limit: number): Promise<BatchRecord[]> {
    const select = 'select * from domain_batch where tenant = ? order by created_at desc limit ?'
    return this.#database.prepare(select).all(tenant, limit).map(toRecord)
  }

  async waiting(before: number): Promise<BatchRecord[]> {
    const select = `
      select * from domain_batch
      where handed_at is null and cancelled_at is null and created_at < ?
      order by created_at limit ${SOME}`
    return this.#database.prepare(select).all(before).map(toRecord)
  }

  async cancelled(since: number): Promise<BatchRecord[]> {
    const select = `select * from domain_batch where cancelled_at >= ? limit ${SOME}`
    return this.#database.prepare(select).all(since).map(toRecord)
  }

  async old(before: number): Promise<BatchRecord[]> {
    const select = `
      select * from domain_batch
      where created_at < ? order by created_at limit ${SOME}`
    return this.#database.prepare(select).all(before).map(toRecord)
  }

  async remove(id: string): Promise<void> {
    this.#database.prepare('delete from domain_batch where id = ?').run(id)
  }

  async handed(id: string): Promise<void> {
    const update = 'update domain_batch set handed_at = ? where id = ? and handed_at is null'
    this.#database.prepare(update).run(Date.now(), id)
  }

  async isCancelled(id: string): Promise<boolean> {
    const select = 'select 1 from domain_batch where id = ? and cancelled_at is not null'
    return this.#database.prepare(select).get(id) !== undefined
  }

  async cancel(id: string, at: number | undefined): Promise<void> {
    const update = 'update domain_batch set cancelled_at = ? where id = ?'
    this.#database.prepare(update).run(at ?? null, id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
  }
}
