import { CsvError, parse } from 'csv-parse/sync'

/** From this line on nobody can tell where fields begin and end. */
export class BrokenCsv extends Error {
  override readonly name = 'BrokenCsv'
  readonly line: number

  constructor(line: number, options: ErrorOptions) {
    super(
      `line ${line} cannot be read: a quote in it is not closed, or stands within a field`,
      options,
    )
    this.line = line
  }
}

/** Spreadsheets write what is usual where they are. */
const DELIMITERS = [',', ';', '\t']

/**
 * The records of a CSV, with those that are blank, so that their places are those of the file. A quote that is not closed
 * would swallow records: then there are none.
 * @throws BrokenCsv
 */
export function recordsOf(csv: string): string[][] {
  let lines = 0
  try {
    return parse(csv, {
      bom: true,
      delimiter: delimiterOf(csv),
      relax_column_count: true,
      onRecord: (record: string[], context) => {
        lines = context.lines
        return record
      },
    })
  } catch (cause) {
    if (cause instanceof CsvError) throw new BrokenCsv(lines + 1, { cause })
    throw cause
  }
}

/** What parts the first line into most. */
function delimiterOf(csv: string): string {
  const [widest = ','] = DELIMITERS.toSorted((a, b) => widthOf(csv, b) - widthOf(csv, a))
  return widest
}

function widthOf(csv: string, delimiter: string): number {
  try {
    const [head = []]: string[][] = parse(csv, { delimiter, to: 1, bom: true })
    return head.length
  } catch {
    return 0
  }
}

export const isBlank = (record: readonly string[]): boolean =>
  record.every((cell) => cell.trim() === '')
