import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { settings } from '../settings.ts'

export const ROWS_MAX = 10_000_000

const ExportInput = z.strictObject({
  /** `documents`: all of them; `readings`: so many measurements of the projects' homes. */
  table: z.enum(['documents', 'readings']),
  format: z.enum(['csv', 'xlsx']),
  rows: z.int().min(1).max(ROWS_MAX).optional(),
})

/** Writes a table into a file, row by row: memory stays flat however long it is. */
export const exportTable = defineJob({
  name: 'documents.export',
  input: ExportInput,
  output: z.object({ file: z.string(), rows: z.int(), bytes: z.int() }),
  backoff: exponential(settings.retry),
  timeout: '30m',
  limits: [{ key: 'documents.export', running: settings.exportsAtOnce }],
  keep: { record: '7d', failed: '30d' },
})

/** Every week: the documents as a workbook, and a mail that says so. */
export const weeklyReport = defineJob({
  name: 'documents.report',
  input: z.object({ format: z.enum(['csv', 'xlsx']) }),
  output: z.object({ file: z.string(), mailId: z.string() }),
  backoff: exponential(settings.retry),
  keep: { record: '7d', failed: '30d' },
})
