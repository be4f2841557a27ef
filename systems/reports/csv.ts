import { pipeline } from 'node:stream'
import { stringify } from 'csv-stringify'
import type { Reported } from './messages.ts'

const COLUMNS = ['Accepted', 'Recipient', 'Template', 'Sent as', 'Status', 'Status since']

/** Messages as CSV, row by row: memory does not grow with their number. */
export function csvOf(messages: AsyncIterable<Reported>): AsyncIterable<Uint8Array> {
  const csv = stringify({ header: true, columns: COLUMNS, record_delimiter: '\r\n' })
  // Whatever breaks, whoever reads on is told.
  pipeline(cells(messages), csv, () => undefined)
  return csv
}

async function* cells(messages: AsyncIterable<Reported>): AsyncGenerator<string[]> {
  for await (const { at, to, template, origin, status, statusAt = '' } of messages)
    yield [at, to, harmless(template), origin, status, statusAt]
}

/** A spreadsheet takes what begins so for a formula. */
const harmless = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
