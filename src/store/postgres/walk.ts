import { ErrandError } from '../../job/errors.ts'
import type { JobId } from '../../job/job.ts'
import type { Filter, Page } from '../contract.ts'
import type { Row, Values } from './connection.ts'
import { int, numberOf, text } from './rows.ts'

type Walk =
  | 'all'
  | 'tagged'
  | 'ready'
  | 'scheduled'
  | 'running'
  | 'waiting'
  | 'failed'
  | 'cancelled'
type Key = (string | number)[]

const END = Number.MAX_SAFE_INTEGER
const LOOKED_AT_MAX = 1000

/** What each walk is ordered by: the columns its cursor holds, and where it begins. */
const ORDERS: Record<Walk, { columns: readonly string[]; from: Key }> = {
  all: { columns: ['turn'], from: [END] },
  tagged: { columns: ['turn'], from: [END] },
  ready: { columns: ['queue', 'priority', 'run_at', 'turn'], from: ['', -1, -1, -1] },
  scheduled: { columns: ['run_at', 'turn'], from: [-1, -1] },
  running: { columns: ['turn'], from: [-1] },
  waiting: { columns: ['turn'], from: [-1] },
  failed: { columns: ['ended_at', 'turn'], from: [END, END] },
  cancelled: { columns: ['ended_at', 'turn'], from: [END, END] },
}

/** The ids of a page's jobs, along the index that holds just what was asked for, and where it goes on. */
export async function page(
  look: (name: string, values: Values) => Promise<Row[]>,
  filter: Filter,
  limit: number,
  cursor?: string,
): Promise<{ ids: JobId[] } & Pick<Page, 'next'>> {
  const walk = choose(filter)
  const { columns, from } = ORDERS[walk]
  const key = cursor === undefined ? from : readCursor(cursor, walk)
  const rows = await look(walk, walk === 'tagged' ? [...key, filter.tag ?? ''] : key)
  const fitting = rows.filter((row) => fits(row, filter))
  const shown = fitting.slice(0, limit)
  const last =
    fitting.length > limit ? shown.at(-1) : rows.length === LOOKED_AT_MAX ? rows.at(-1) : undefined
  return {
    ids: shown.map((row) => text(row.id)),
    ...(last && {
      next: writeCursor(
        walk,
        columns.map((column) => keyOf(last, column)),
      ),
    }),
  }
}

const choose = ({ state, tag }: Filter): Walk =>
  tag !== undefined ? 'tagged' : state === undefined || state === 'completed' ? 'all' : state

const fits = (row: Row, { state, job, queue, tenant }: Filter): boolean =>
  (state === undefined || int(row.state) === numberOf(state)) &&
  (job === undefined || row.name === job) &&
  (queue === undefined || row.queue === queue) &&
  (tenant === undefined || row.tenant === tenant)

const keyOf = (row: Row, column: string) =>
  column === 'queue' ? text(row.queue) : int(row[column])

const writeCursor = (walk: Walk, key: Key) =>
  Buffer.from(JSON.stringify([walk, ...key])).toString('base64url')

/** @throws ErrandError INVALID_QUERY */
function readCursor(cursor: string, walk: Walk): Key {
  try {
    const [of, ...key]: Key = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const { from } = ORDERS[walk]
    if (
      of === walk &&
      key.length === from.length &&
      key.every((part, i) => typeof part === typeof from[i])
    )
      return key
  } catch {
    // Falls through to the refusal: no text of the cursor is repeated.
  }
  throw new ErrandError('INVALID_QUERY', {
    parameter: 'cursor',
    problem: 'is not one of this list',
  })
}
