import type { Filter, Page } from '../contract.ts'
import {
  choose,
  fits,
  type Key,
  LOOKED_AT_MAX,
  readCursor,
  type Seen,
  type Walk,
  writeCursor,
} from './paging.ts'

const END = Number.MAX_SAFE_INTEGER

/** What each walk along a table is ordered by: the columns its cursor holds, and where it begins. */
const ORDERS: Record<Walk, { columns: readonly string[]; from: Key }> = {
  all: { columns: ['turn'], from: [END] },
  tagged: { columns: ['turn'], from: [END] },
  ready: { columns: ['queue', 'priority', 'run_at', 'turn'], from: ['', -1, -1, -1] },
  held: { columns: ['held', 'priority', 'run_at', 'turn'], from: ['', -1, -1, -1] },
  scheduled: { columns: ['run_at', 'turn'], from: [-1, -1] },
  running: { columns: ['turn'], from: [-1] },
  waiting: { columns: ['turn'], from: [-1] },
  failed: { columns: ['ended_at', 'turn'], from: [END, END] },
  cancelled: { columns: ['ended_at', 'turn'], from: [END, END] },
}

/** Where a page of a filter goes on: along which walk, from where. @throws ErrandError INVALID_QUERY */
export function startOf(filter: Filter, cursor?: string): { walk: Walk; key: Key } {
  const walk = isHeldStart(cursor) && filter.state === 'ready' ? 'held' : choose(filter)
  const { from } = ORDERS[walk]
  return { walk, key: cursor === undefined ? from : readCursor(cursor, walk, from) }
}

/** Where those begin that are ready and wait for a place. */
export const heldStart = (): string => writeCursor('held', ORDERS.held.from)

function isHeldStart(cursor: string | undefined): boolean {
  try {
    return cursor !== undefined && readCursor(cursor, 'held', ORDERS.held.from).length > 0
  } catch {
    return false
  }
}

/** Of the rows of a walk those that fit, and the cursor of the page after them. */
export function cut<Row>(
  walk: Walk,
  rows: readonly Row[],
  filter: Filter,
  limit: number,
  read: { seen(row: Row): Seen; key(row: Row, column: string): string | number },
): { shown: Row[] } & Pick<Page, 'next'> {
  const fitting = rows.filter((row) => fits(read.seen(row), filter))
  const shown = fitting.slice(0, limit)
  const last =
    fitting.length > limit ? shown.at(-1) : rows.length === LOOKED_AT_MAX ? rows.at(-1) : undefined
  if (last === undefined) return { shown }
  const key = ORDERS[walk].columns.map((column) => read.key(last, column))
  return { shown, next: writeCursor(walk, key) }
}
