import type { Filter, Page } from '../contract.ts'
import { cut, heldStart, startOf } from '../parts/orders.ts'
import type { Connection } from './connection.ts'
import { int, type Row, stateOf, text } from './rows.ts'

const WALKS = [
  'all',
  'tagged',
  'ready',
  'held',
  'scheduled',
  'running',
  'waiting',
  'failed',
  'cancelled',
] as const

/** Pages through jobs along the line, set or index that holds just what was asked for. */
export class Walks {
  readonly #sql

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./look.sql', [...WALKS, 'isHeld'])
  }

  /** The places of a page's jobs, and where the walk goes on. */
  page(filter: Filter, limit: number, cursor?: string): { places: number[] } & Pick<Page, 'next'> {
    const { walk, key } = startOf(filter, cursor)
    const names = ['a', 'b', 'c', 'd'].slice(0, key.length)
    const bound = Object.fromEntries(names.map((name, i) => [name, key[i] ?? null]))
    const rows = this.#sql[walk].all(
      walk === 'tagged' ? { ...bound, tag: filter.tag ?? '' } : bound,
    )
    const { shown, ...rest } = cut(walk, rows, filter, limit, { seen, key: keyOf })
    // Those that wait for a place are ready as well, and come after the line.
    const isMore =
      walk === 'ready' && rest.next === undefined && this.#sql.isHeld.get() !== undefined
    const next = isMore ? { next: heldStart() } : rest
    return { places: shown.map((row) => int(row.turn)), ...next }
  }
}

const seen = (row: Row) => ({
  state: stateOf(row.state),
  job: text(row.job),
  queue: text(row.queue),
  tenant: text(row.tenant),
  ...(row.batch !== null && { batch: text(row.batch) }),
})

const keyOf = (row: Row, column: string) =>
  column === 'queue' || column === 'held' ? text(row[column]) : int(row[column])
