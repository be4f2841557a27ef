import { type Env, readAll } from '../common/settings.ts'

/** All that may be set, with what the team ships. Spans are milliseconds here. */
export type Settings = ReturnType<typeof readSettings>

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
export const STAND_IN_PORT = 7473

export const readSettings = (env: Env) => readAll('PAYMENTS_', env, read)

function read(env: Env) {
  const span = (name: string, usual: string, least = 1): number => {
    const [, amount, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(env[name] ?? usual) ?? []
    const ms = Number(amount) * (UNITS[unit] ?? Number.NaN)
    if (Number.isNaN(ms) || ms < least)
      throw new Error(`${name} needs a span such as 500ms, 45s or 2m`)
    return ms
  }
  const count = (name: string, usual: number, most = Number.MAX_SAFE_INTEGER): number => {
    const amount = Number(env[name] ?? usual)
    if (Number.isInteger(amount) && amount > 0 && amount <= most) return amount
    throw new Error(`${name} needs a whole number from 1 to ${most}`)
  }
  const settleMs = span('PAYMENTS_SETTLE', '2m')
  // Whatever was asked is given up before that: so what is shown by then is all that will be.
  const timeoutMs = Math.min(span('PAYMENTS_TIMEOUT', '40s'), Math.floor(settleMs * 0.8))
  return {
    /** The real backend; without one a stand-in is hired. */
    backendUrl: env['PAYMENTS_BACKEND_URL'],
    standInFile:
      env['PAYMENTS_STAND_IN_FILE'] ?? `${env['ERRAND_DATA'] ?? '.errand'}/payments-backend.db`,
    /** How long a call that changes something is waited for. */
    timeoutMs,
    /** How long a run may take: it looks, asks, and may look or ask once more. */
    runMs: Math.max(120_000, 3 * timeoutMs),
    /** How long after it was asked the backend may still take in what it does not show yet. */
    settleMs,
    /** How long after it was written down that it will be asked it may still be asked. */
    freshMs: Math.min(5000, settleMs - timeoutMs),
    /** How long a person who looks waits for the backend. */
    readTimeoutMs: span('PAYMENTS_READ_TIMEOUT', '3s'),
    /** The first wait for a backend that works in its own time; later ones double, up to 30 s. */
    pollMs: span('PAYMENTS_POLL', '1s'),
    attempts: count('PAYMENTS_ATTEMPTS', 10, 100),
    backoffMs: span('PAYMENTS_BACKOFF', '2s'),
    backoffMaxMs: span('PAYMENTS_BACKOFF_MAX', '5m'),
    /** How long the record of an ended job stays; after it the backend alone is asked. */
    keepMs: span('PAYMENTS_KEEP', '1h'),
    /** How long a confirmation is waited for where the request does not say it; 0 is for ever. */
    confirmWithinMs: span('PAYMENTS_CONFIRM_WITHIN', '0s', 0),
    rowsMax: count('PAYMENTS_ROWS_MAX', 5000),
    syncRowsMax: count('PAYMENTS_SYNC_ROWS_MAX', 50),
    syncWaitMs: span('PAYMENTS_SYNC_WAIT', '50s'),
  }
}

export const settings = readSettings(process.env)
