import type { Millis } from '../../base/time.ts'
import { LATE_MAX_MS, type RateRow, type Take } from '../../job/rate.ts'
import { readTexts } from './arrays.ts'
import type { Connection, Row } from './connection.ts'
import { int, text } from './rows.ts'

/** Calls that pass under limits. */
export async function take(takes: readonly Take[], connection: Connection): Promise<Millis[]> {
  if (takes.length === 0) return []
  const said = takes.map(({ limit, count, windowMs, n, lateMs }, i) => ({
    place: i + 1,
    name: limit,
    count,
    window_ms: windowMs,
    n,
    late_ms: lateMs,
  }))
  const values = [connection.now, JSON.stringify(said), LATE_MAX_MS]
  const [row] = await connection.call('take', 'take', values, { again: true })
  return readTexts(text(only(row))).map(Number)
}

export async function hold(
  limit: string,
  ms: Millis,
  connection: Connection,
): Promise<Millis | undefined> {
  const values = [connection.now, limit, ms]
  const [row] = await connection.call('hold', 'close_limit', values, { again: true })
  const closedMs = only(row)
  return closedMs === null ? undefined : int(closedMs)
}

/** The one value that a function of ours answered with. */
const only = (row: Row | undefined) => Object.values(row ?? {})[0] ?? null

export const toRate = (row: Row): RateRow => ({
  name: text(row.name),
  ...(row.count !== null && { rate: { count: int(row.count), windowMs: int(row.window_ms) } }),
  taken: int(row.taken),
  ...(row.closed_until !== null && { closedUntil: int(row.closed_until) }),
})
