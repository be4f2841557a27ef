import { join } from 'node:path'
import { type Env, readAll } from '../common/settings.ts'
import { isSpan, msOf, type Span } from './span.ts'

/** All that may be set, and what is shipped. Each line stands in README.md. */
const read = (env: Env) => ({
  /** Where the messages lie: the only place that holds recipients, beside a finished report. */
  source: env['REPORTS_SOURCE'] ?? join(env['ERRAND_DATA'] ?? '.errand', 'reports'),
  /** Whose messages a visitor sees whom no gateway and no `authenticate` names. */
  service: env['REPORTS_SERVICE'] ?? 'demo',
  /** A window ends where the present step of this length began; with `1d` that is midnight in the zone. */
  step: some(env, 'REPORTS_STEP', '1d'),
  zone: env['REPORTS_ZONE'] ?? 'UTC',
  /** How long a finished report can be fetched, and its link works; 7 days at most. */
  keep: some(env, 'REPORTS_KEEP', '7d'),
  /** How long it is known that there was one. */
  remember: span(env, 'REPORTS_REMEMBER', '8d'),
  /** How long messages lie in the source: the longest window, and the day in which it is asked for. */
  sourceKeep: most(env, 'REPORTS_SOURCE_KEEP', '8d'),
  rowsMax: count(env, 'REPORTS_ROWS_MAX', 1_000_000),
  /** Reports of one person that may be on their way. */
  perOwner: count(env, 'REPORTS_PER_OWNER', 5),
  attempts: count(env, 'REPORTS_ATTEMPTS', 4),
  backoff: spans(env, 'REPORTS_BACKOFF', '10s,1m,5m'),
  soft: span(env, 'REPORTS_SOFT', '4m'),
  hard: span(env, 'REPORTS_HARD', '5m'),
  nightly: env['REPORTS_NIGHTLY'] ?? '0 1 * * *',
  sweep: env['REPORTS_SWEEP'] ?? '30 1 * * *',
  /** Messages that were not begun by then are not sent any more. */
  sendWithin: span(env, 'REPORTS_SEND_WITHIN', '4d'),
  sendMax: count(env, 'REPORTS_SEND_MAX', 50_000),
  sendAttempts: count(env, 'REPORTS_SEND_ATTEMPTS', 4),
  sendBackoff: spans(env, 'REPORTS_SEND_BACKOFF', '10s,1m,5m'),
  carrierUrl: env['REPORTS_CARRIER_URL'],
  carrierRate: rate(env, 'REPORTS_CARRIER_RATE', '1000/s'),
  /** Messages a day that are made up for the visitor's service; none where a real carrier is named. */
  sampleRows: count(env, 'REPORTS_SAMPLE_ROWS', env['REPORTS_CARRIER_URL'] ? 0 : 400, 0),
  /** Other origins whose pages may use the widget. */
  origins: (env['REPORTS_ORIGINS'] ?? '').split(',').filter((origin) => origin !== ''),
})

export const readSettings = (env: Env) => readAll('REPORTS_', env, read)

export type Settings = ReturnType<typeof read>
type Rate = `${number}/${'s' | 'm' | 'h' | 'd'}`

function span(env: Env, name: string, usual: Span): Span {
  const given = env[name] ?? usual
  if (isSpan(given)) return given
  throw new TypeError(`${name} needs a span such as 90s, 4m or 7d`)
}

function some(env: Env, name: string, usual: Span): Span {
  const given = span(env, name, usual)
  if (msOf(given) > 0) return given
  throw new TypeError(`${name} needs a span above 0`)
}

/** What is usual is the most, too. */
function most(env: Env, name: string, usual: Span): Span {
  const given = span(env, name, usual)
  if (msOf(given) <= msOf(usual)) return given
  throw new TypeError(`${name} needs ${usual} at most`)
}

function spans(env: Env, name: string, usual: string): Span[] {
  const given = (env[name] ?? usual).split(',').map((one) => one.trim())
  if (given.every(isSpan)) return given
  throw new TypeError(`${name} needs spans such as 10s,1m,5m`)
}

function count(env: Env, name: string, usual: number, least = 1): number {
  const given = env[name] === undefined ? usual : Number(env[name])
  if (Number.isInteger(given) && given >= least) return given
  throw new TypeError(`${name} needs a whole number, ${least} at least`)
}

function rate(env: Env, name: string, usual: Rate): Rate {
  const given = env[name] ?? usual
  if (isRate(given)) return given
  throw new TypeError(`${name} needs a rate such as 100/s`)
}

const isRate = (text: string): text is Rate => /^[1-9]\d*\/(?:s|m|h|d)$/.test(text)

export const settings: Settings = readSettings(process.env)
