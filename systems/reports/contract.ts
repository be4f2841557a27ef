import { defineJob, defineLimit } from 'errand'
import { z } from 'zod'
import { settings } from './settings.ts'

/** Which messages: all, those sent alone, or those sent as many at once. */
export const Origin = z.enum(['all', 'one-off', 'batch'])
export type Origin = z.infer<typeof Origin>

export const Days = z.literal([1, 3, 5, 7])
export const DAYS = Days.def.values

const DATE = /(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])/g

/** It lies in the clear, as the path of the file does: what might be somebody's number is none. */
export const FileName = z
  .string()
  .regex(/^[\w][\w .-]{0,139}\.csv$/, 'needs letters, digits, spaces, dots or dashes, and .csv')
  .refine(
    (name) => !/\d{7}/.test(name.replaceAll(DATE, '').replaceAll(/[ ._-]/g, '')),
    'takes no seven digits in a row',
  )

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
  input: z.strictObject({
    after: z
      .string()
      .max(80)
      .regex(/^[^+]*$/)
      .optional(),
  }),
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

const Place = z.strictObject({
  file: z.string().regex(/^\d{4}-\d\d-\d\d\/[\w-]{1,160}\.ndjson$/),
  row: z.int().min(0),
  /** At which byte its line begins. */
  at: z.int().min(0),
})

/** Notes that a message was not sent and will not be any more. */
export const unsent = defineJob({
  name: 'reports.unsent',
  queue: 'sends',
  priority: 'high',
  input: z.object({ input: Place }),
  attempts: 100,
  backoff: '10s',
})

/** Sends one message: it carries where its recipient stands, never the recipient. */
export const send = defineJob({
  name: 'reports.send',
  queue: 'sends',
  input: Place,
  data: 'reference',
  references: ['file', 'row', 'at'],
  attempts: settings.sendAttempts,
  backoff: settings.sendBackoff,
  timeout: '30s',
  fair: true,
  onFailure: unsent,
})

export const carrierLimit = defineLimit('reports.carrier', { rate: settings.carrierRate })
