import type { JobId } from '../../job/job.ts'
import type { Filter, Page } from '../contract.ts'
import { cut, heldStart, startOf } from '../parts/orders.ts'
import type { Row, Values } from './connection.ts'
import { int, stateOf, text } from './rows.ts'

/** The ids of a page's jobs, along the index that holds just what was asked for, and where it goes on. */
export async function page(
  look: (name: string, values: Values) => Promise<Row[]>,
  filter: Filter,
  limit: number,
  cursor?: string,
): Promise<{ ids: JobId[] } & Pick<Page, 'next'>> {
  const { walk, key } = startOf(filter, cursor)
  const rows = await look(walk, walk === 'tagged' ? [...key, filter.tag ?? ''] : key)
  const { shown, ...rest } = cut(walk, rows, filter, limit, { seen, key: keyOf })
  // Those that wait for a place are ready as well, and come after the line.
  const isLast = walk === 'ready' && rest.next === undefined
  const isMore = isLast && (await look('is_held', [])).length > 0
  const next = isMore ? { next: heldStart() } : rest
  return { ids: shown.map((row) => text(row.id)), ...next }
}

const seen = (row: Row) => ({
  state: stateOf(row.state),
  job: text(row.name),
  queue: text(row.queue),
  tenant: text(row.tenant),
  ...(row.batch && { batch: row.batch }),
})

const keyOf = (row: Row, column: string) =>
  column === 'queue' || column === 'held' ? text(row[column]) : int(row[column])
