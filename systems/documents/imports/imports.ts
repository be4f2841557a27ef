import type { DatabaseSync } from 'node:sqlite'
import { atOnce } from '../database.ts'

/** A row that did not fit: its number in the file, the field and why; never what stood in it. */
export type Misfit = { row: number; field: string; why: string }

const SCHEMA = `
  create table if not exists import (
    id text primary key,
    row integer not null
  ) strict;
  create table if not exists misfit (
    import_id text,
    row integer,
    field text not null,
    why text not null,
    primary key (import_id, row)
  ) strict`

const PAGE = 1000

/** How far each import is, and what it could not take. */
export class Imports {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
    database.exec(SCHEMA)
  }

  /** The last row that is done with; 0 before the first. */
  reached(id: string): number {
    return Number(this.#database.prepare('select row from import where id = ?').get(id)?.row ?? 0)
  }

  /** Does some rows and remembers having done them, or neither. */
  advance(id: string, row: number, misfits: readonly Misfit[], put: () => void): void {
    atOnce(this.#database, () => {
      put()
      const add = this.#database.prepare('insert or replace into misfit values (?, ?, ?, ?)')
      for (const misfit of misfits) add.run(id, misfit.row, misfit.field, misfit.why)
      this.#database.prepare('insert or replace into import values (?, ?)').run(id, row)
    })
  }

  /** How many rows it could not take so far. */
  refused(id: string): number {
    const sql = 'select count(*) as n from misfit where import_id = ?'
    return Number(this.#database.prepare(sql).get(id)?.n)
  }

  /** A page of them, behind a row. */
  misfits(id: string, after = 0): Misfit[] {
    return this.#database
      .prepare(
        `select row, field, why from misfit where import_id = ? and row > ? order by row limit ${PAGE}`,
      )
      .all(id, after)
      .map((one) => ({ row: Number(one.row), field: String(one.field), why: String(one.why) }))
  }
}
