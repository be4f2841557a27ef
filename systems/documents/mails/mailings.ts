import type { DatabaseSync } from 'node:sqlite'
import { atOnce } from '../database.ts'

/** One text to many contacts. Who got it is counted by its batch, under the same id. */
export type Mailing = {
  id: string
  tenant: string
  subject: string
  text: string
  /** So many of the contacts, as it was asked for. */
  first: number | undefined
  at: number
}
export type Refusal = { contactId: number; why: string }

const SCHEMA = `
  create table if not exists mailing (
    id text primary key,
    subject text not null,
    text text not null,
    at integer not null
  ) strict;
  create table if not exists refusal (
    mailing_id text,
    contact_id integer,
    why text not null,
    primary key (mailing_id, contact_id)
  ) strict`

export class Mailings {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
    // Server and executors open it at once: one of them makes it what it is to be.
    atOnce(database, () => {
      database.exec(SCHEMA)
      addColumn(database, 'tenant', "text not null default ''")
      addColumn(database, 'first', 'integer')
    })
  }

  /** A request that is sent again finds the first text. */
  add({ id, tenant, subject, text, first }: Omit<Mailing, 'at'>): void {
    this.#database
      .prepare(
        `insert or ignore into mailing (id, subject, text, at, tenant, first)
         values (?, ?, ?, ?, ?, ?)`,
      )
      .run(id, subject, text, Date.now(), tenant, first ?? null)
  }

  remove(id: string): void {
    this.#database.prepare('delete from mailing where id = ?').run(id)
  }

  find(id: string): Mailing | undefined {
    const row = this.#database.prepare('select * from mailing where id = ?').get(id)
    return row && toMailing(row)
  }

  latest(tenant: string, most: number): Mailing[] {
    const sql = 'select * from mailing where tenant = ? order by at desc limit ?'
    return this.#database.prepare(sql).all(tenant, most).map(toMailing)
  }

  refused(mailingId: string, contactId: number, why: string): void {
    this.#database
      .prepare('insert or replace into refusal values (?, ?, ?)')
      .run(mailingId, contactId, why)
  }

  /** It got there after all, say when its address was mended. */
  sent(mailingId: string, contactId: number): void {
    this.#database
      .prepare('delete from refusal where mailing_id = ? and contact_id = ?')
      .run(mailingId, contactId)
  }

  refusals(mailingId: string): Refusal[] {
    return this.#database
      .prepare('select contact_id, why from refusal where mailing_id = ? order by contact_id')
      .all(mailingId)
      .map((row) => ({ contactId: Number(row.contact_id), why: String(row.why) }))
  }
}

const toMailing = (row: Record<string, unknown>): Mailing => ({
  id: String(row.id),
  subject: String(row.subject),
  text: String(row.text),
  tenant: String(row.tenant),
  first: typeof row.first === 'number' ? row.first : undefined,
  at: Number(row.at),
})

/** Records that were made before this column was. */
function addColumn(database: DatabaseSync, name: string, type: string): void {
  const known = database.prepare("select 1 from pragma_table_info('mailing') where name = ?")
  if (!known.get(name)) database.exec(`alter table mailing add column ${name} ${type}`)
}
