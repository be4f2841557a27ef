import { writeXlsxStream } from 'hucre/xlsx'
import type { Table } from './tables.ts'

/** A table as a workbook. More rows than a sheet holds go on in the next one. */
export async function* xlsxOf({ name, columns, rows }: Table): AsyncGenerator<Uint8Array> {
  yield* writeXlsxStream(rows, {
    name,
    columns: columns.map(({ key, header, width }) => ({ key, header, width })),
    freezePane: { rows: 1 },
  })
}
