import type { Rate } from 'errand'
import { type Env, readAll } from '../common/settings.ts'

type Span = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** What an installation may say of this system, and what holds unless it does. */
export type Settings = {
  /** Where its own records and uploads lie. */
  database: string
  uploads: string
  /** The mail API; without one a stand-in is hired at `mailPort`. */
  mailUrl: string | undefined
  mailKey: string | undefined
  mailPort: number
  /** How long an answer of the mail API is waited for. */
  mailTimeoutMs: number
  mailRate: Rate
  /** Mails under way at a time: they leave places to others while they wait for their turn. */
  mailAtOnce: number
  /** Pictures in the making at a time, over all workers. */
  cpuAtOnce: number
  exportsAtOnce: number
  /** The first wait after a failure; it doubles from there. */
  retry: Span
  /** One attempt at a PDF. */
  pdfTimeout: Span
  keepUploads: Span
  cleanUp: string
  report: string
  timeZone: string
}

export const readSettings = (env: Env): Settings => readAll('DOCUMENTS_', env, read)

function read(env: Env): Settings {
  const data = env['ERRAND_DATA'] ?? '.errand'
  const mailPort = count(env, 'DOCUMENTS_MAIL_PORT', 7471)
  return {
    database: env['DOCUMENTS_DATABASE'] ?? `${data}/documents.db`,
    uploads: env['DOCUMENTS_UPLOADS'] ?? `${data}/documents-uploads`,
    mailUrl: env['DOCUMENTS_MAIL_URL'],
    mailKey: env['DOCUMENTS_MAIL_KEY'],
    mailPort,
    mailTimeoutMs: count(env, 'DOCUMENTS_MAIL_TIMEOUT_MS', 10_000),
    mailRate: fit(env, 'DOCUMENTS_MAIL_RATE', '10/s', isRate),
    mailAtOnce: count(env, 'DOCUMENTS_MAIL_AT_ONCE', 4),
    cpuAtOnce: count(env, 'DOCUMENTS_CPU_AT_ONCE', 1),
    exportsAtOnce: count(env, 'DOCUMENTS_EXPORTS_AT_ONCE', 2),
    retry: fit(env, 'DOCUMENTS_RETRY', '1m', isSpan),
    pdfTimeout: fit(env, 'DOCUMENTS_PDF_TIMEOUT', '60s', isSome),
    keepUploads: fit(env, 'DOCUMENTS_KEEP_UPLOADS', '30d', isSpan),
    cleanUp: env['DOCUMENTS_CLEAN_UP'] ?? '0 2 * * *',
    report: env['DOCUMENTS_REPORT'] ?? '0 6 * * mon',
    timeZone: env['DOCUMENTS_TIME_ZONE'] ?? 'Australia/Perth',
  }
}

const isSpan = (text: string): text is Span => /^\d+(?:ms|[smhd])$/.test(text)
const isSome = (text: string): text is Span => isSpan(text) && !/^0+\D/.test(text)
const isRate = (text: string): text is Rate => /^[1-9]\d*\/(?:\d+)?(?:ms|[smhd])$/.test(text)

function fit<Text extends string>(
  env: Env,
  name: string,
  usual: Text,
  is: (text: string) => text is Text,
): Text {
  const text = env[name] ?? usual
  if (is(text)) return text
  throw new TypeError(`${name} needs something like ${usual}`)
}

function count(env: Env, name: string, usual: number): number {
  const number = Number(env[name] ?? usual)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new TypeError(`${name} needs a whole number from 1`)
}

export const settings = readSettings(process.env)
