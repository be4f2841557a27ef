import { stringify } from 'csv-stringify/sync'
import type { Row, Table } from './tables.ts'

const CHUNK = 500

/** A table as CSV that spreadsheets open as they should: with a byte order mark, and no cell that would be run. */
export async function* csvOf({ columns, rows }: Table): AsyncGenerator<Uint8Array> {
  const head = columns.map(({ key, header }) => ({ key, header }))
  const write = (some: Row[], isFirst: boolean) =>
    Buffer.from(
      stringify(some, { columns: head, header: isFirst, bom: isFirst, escape_formulas: true }),
    )
  let isFirst = true
  let chunk: Row[] = []
  for await (const row of rows) {
    chunk.push(row)
    if (chunk.length < CHUNK) continue
    yield write(chunk, isFirst)
    isFirst = false
    chunk = []
  }
  if (chunk.length > 0 || isFirst) yield write(chunk, isFirst)
}
