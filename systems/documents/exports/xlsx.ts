import { writeXlsxStream } from 'hucre/xlsx'
import type { Row, Table, Value } from './tables.ts'

/** More does not go into a cell, and spreadsheets call the file broken. */
const CELL_MAX = 32_767
/** They read this as a character. */
const ESCAPE = /_(?=x[\da-f]{4}_)/gi

/** A table as a workbook. More rows than a sheet holds go on in the next one. */
export async function* xlsxOf({ name, columns, rows }: Table): AsyncGenerator<Uint8Array> {
  yield* writeXlsxStream(fitting(rows), {
    name,
    columns: columns.map(({ key, header, width }) => ({ key, header, width })),
    freezePane: { rows: 1 },
  })
}

async function* fitting(rows: Table['rows']): AsyncGenerator<Row> {
  for await (const row of rows)
    yield Object.fromEntries(Object.entries(row).map(([key, value]) => [key, fit(value)]))
}

function fit(value: Value): Value {
  if (typeof value === 'number') return value
  const text = value.length > CELL_MAX ? `${value.slice(0, CELL_MAX - 1)}…` : value
  return text.replaceAll(ESCAPE, '_x005F_')
}
