import { defineJob, defineLimit } from 'errand'
import { z } from 'zod'
import { settings } from './settings.ts'

/** Which messages: all, those sent alone, or those sent as many at once. */
export const Origin = z.enum(['all', 'one-off', 'batch'])
export type Origin = z.infer<typeof Origin>

export const Days = z.literal([1, 3, 5, 7])
export const DAYS = Days.def.values

export const FileName = z.string().regex(/^[\w][\w .-]{0,139}\.csv$/)

const ReportInput = z.strictObject({
  days: Days,
  origin: Origin,
  /** The window, reckoned once, when the report was asked for. */
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  filename: FileName,
})
export type ReportInput = z.infer<typeof ReportInput>

/** A window without a message leaves no file: that is an outcome, and no failure. */
export const ReportResult = z.strictObject({
  rows: z.int(),
  empty: z.boolean(),
  filename: z.string(),
  bytes: z.int(),
})

/** Reports of one window are one: whoever asks joins the one that is made, or finds the one that is there. */
export const uniqueOf = ({ days, origin, to }: ReportInput): string => `${days}d ${origin} ${to}`

/**
 * Makes the report of a service, which is the tenant of the job. Where the messages lie is all that goes in; the file that
 * comes out holds recipients, and rests sealed.
 */
export const report = defineJob({
  name: 'reports.report',
  queue: 'reports',
  priority: 'high', // a batch of ten thousand messages lets it pass
  input: ReportInput,
  output: ReportResult,
  data: 'sealed',
  attempts: settings.attempts,
  backoff: settings.backoff,
  timeout: { soft: settings.soft, hard: settings.hard },
  keep: { record: settings.remember, failed: settings.remember, files: settings.keep },
  unique: { by: uniqueOf, until: 'kept' },
})

/** Has the reports of every length made for every service that sent something lately. */
export const nightly = defineJob({
  name: 'reports.nightly',
  queue: 'reports',
  input: z.strictObject({ after: z.string().optional() }),
  data: 'reference',
  references: ['after'],
  unique: { by: ({ after = '' }) => `after ${after}` },
})

/** Removes messages that no report can ask for any more. */
export const sweep = defineJob({
  name: 'reports.sweep',
  queue: 'reports',
  input: z.strictObject({}),
  data: 'reference',
  references: ['days'],
  unique: { by: () => 'sweep' },
})

/** Sends one message: it carries where its recipient stands, never the recipient. */
export const send = defineJob({
  name: 'reports.send',
  queue: 'sends',
  input: z.strictObject({
    file: z.string().max(200),
    row: z.int().min(0),
    /** At which byte its line begins. */
    at: z.int().min(0),
  }),
  data: 'reference',
  references: ['file', 'row', 'at'],
  attempts: 4,
  backoff: ['10s', '1m', '5m'],
  timeout: '30s',
  fair: true,
})

export const carrierLimit = defineLimit('reports.carrier', { rate: settings.carrierRate })
