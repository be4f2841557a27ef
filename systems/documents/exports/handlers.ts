import { handler } from 'errand'
import { MAIL_LIMIT } from '../mails/contract.ts'
import { mailing } from '../mails/sending.ts'
import { fileTag } from '../files/contract.ts'
import { exportTable, weeklyReport } from './contract.ts'
import { csvOf } from './csv.ts'
import { documentsTable, readingsTable, type Table } from './tables.ts'
import { xlsxOf } from './xlsx.ts'

const WRITERS = {
  csv: { write: csvOf, type: 'text/csv; charset=utf-8' },
  xlsx: {
    write: xlsxOf,
    type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  },
}
const TOLD_EVERY = 5000

export const exporting = handler(exportTable, {
  async run({ table: name, format, rows = 1000 }, { artifact, progress, resources, signal }) {
    const table =
      name === 'documents' ? documentsTable(resources.documents.list()) : readingsTable(rows)
    const size = { rows: 0, bytes: 0 }
    const { write, type } = WRITERS[format]
    const file = `${name}.${format}`
    const counted = { ...table, rows: counting(table, size, signal, progress) }
    await artifact(file, measuring(write(counted), size), { type })
    return { file, ...size }
  },
})

export const report = handler(weeklyReport, {
  async run({ format }, { id, call, step, take, signal, resources: { documentMails } }) {
    const input = { table: 'documents', format } as const
    const { file, rows } = await call('export', exportTable, input, { tags: [fileTag(id)] })
    const mail = {
      to: 'documents@example.org',
      subject: 'The documents of this week',
      text: `${file} with ${rows} documents lies ready under Exports.`,
    }
    const mailId = await step('mail', async (key) => {
      await take(MAIL_LIMIT)
      return mailing(() => documentMails.send(mail, key, signal))
    })
    return { file, mailId }
  },
})

type Size = { rows: number; bytes: number }
type Tell = (progress: { done: number; total: number; status: string }) => void

async function* counting({ rows, total }: Table, size: Size, signal: AbortSignal, tell: Tell) {
  for await (const row of rows) {
    yield row
    size.rows++
    if (size.rows % TOLD_EVERY !== 0) continue
    signal.throwIfAborted()
    tell({ done: size.rows, total, status: 'writing rows' })
  }
  tell({ done: size.rows, total, status: 'storing the file' })
}

async function* measuring(content: AsyncIterable<Uint8Array>, size: Size) {
  for await (const chunk of content) {
    size.bytes += chunk.length
    yield chunk
  }
}
