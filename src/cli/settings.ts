import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { armFailpoints } from '../base/failpoint.ts'
import { nearest } from '../base/nearest.ts'
import { ErrandError } from '../job/errors.ts'
import { type Row, type SettingName, SETTINGS, type Settings } from './rows.ts'

/** One setting in force: its text, and who said so. */
export type Reading = { name: SettingName; text: string | undefined; origin: string }
export type InForce = { settings: Settings; readings: readonly Reading[] }

type Flags = Partial<Record<SettingName, string | undefined>>
type Env = Readonly<Record<string, string | undefined>>

const NAMES = Object.keys(SETTINGS).filter((name): name is SettingName => name in SETTINGS)
const ROWS: Readonly<Record<SettingName, Row<unknown>>> = SETTINGS

/**
 * Reads every setting. The one reader of the environment.
 * @throws ErrandError INVALID_SETTING, which names the setting and never its value
 */
export function readSettings(flags: Flags = {}, env: Env = process.env): InForce {
  refuseUnknown(env)
  const { text: data = '' } = find('data', flags, env)
  const found = NAMES.map((name) => find(name, flags, env, data))
  const readings = found.map((one) => ({ ...one, text: one.text?.replace('<data>', () => data) }))
  // oxlint-disable-next-line no-unsafe-type-assertion -- fromEntries forgets what each parse said
  const settings = Object.fromEntries(readings.map((one) => [one.name, parse(one)])) as Settings
  if (settings.renewMs >= settings.leaseMs)
    throw new ErrandError('INVALID_SETTING', {
      setting: 'ERRAND_RENEW',
      problem: 'must be shorter than ERRAND_LEASE',
    })
  arm(settings)
  return { settings, readings }
}

/** Every process reads its settings first, so its points are armed before anything can pass them. */
function arm({ failpoints, data }: Settings): void {
  const senseless = failpoints === undefined ? undefined : armFailpoints(failpoints, data)
  if (senseless === undefined) return
  throw new ErrandError('INVALID_SETTING', {
    setting: 'ERRAND_FAILPOINTS',
    problem: `needs parts such as exchange.after_commit=crash@3; not ${senseless}`,
  })
}

/** What a child must find in its environment to read the same settings. */
export const asEnvironment = (
  readings: readonly Reading[],
  env: Env = process.env,
): Record<string, string | undefined> => ({
  ...env,
  ...Object.fromEntries(
    readings.flatMap(({ name, origin, text: said }) =>
      said !== undefined && origin.startsWith('--') ? [[SETTINGS[name].env, said]] : [],
    ),
  ),
})

/** What all processes on one store should agree on. */
const SHARED: readonly SettingName[] = [
  'store',
  'durability',
  'files',
  'sealKeys',
  'linkKey',
  'leaseMs',
  'renewMs',
  'auditKeepMs',
]

/** Stands for the shared settings where they are compared. Of a secret it says only where it came from. */
export function digestOf(readings: readonly Reading[]): string {
  const said = readings
    .filter(({ name }) => SHARED.includes(name))
    .map((reading) => [reading.name, shown(reading), ROWS[reading.name].secret && reading.origin])
  return digest(said)
}

export const digest = (said: unknown): string =>
  createHash('sha256').update(JSON.stringify(said)).digest('base64url').slice(0, 12)

/** Puts what the flags said where the app, and the processes started from here, look for settings. */
export function publish(readings: readonly Reading[]): void {
  Object.assign(process.env, asEnvironment(readings, {}))
}

/** The text of a setting, fit to be shown. */
export function shown({ name, text: said = '' }: Reading): string {
  if (ROWS[name].secret) return said === '' ? '' : '(hidden)'
  return said.replace(/\/\/[^?]*@/, '//(hidden)@').replaceAll(/(\w*password=)[^&]*/gi, '$1(hidden)')
}

function find(name: SettingName, flags: Flags, env: Env, data?: string): Reading {
  const { env: key, alias, flag, secret: hidden, kept, default: usual } = ROWS[name]
  const flagged = flags[name]
  if (flagged !== undefined) return { name, text: flagged, origin: flag?.split(' ')[0] ?? '' }
  // An empty variable is one that was unset the only way some platforms can.
  const set = [key, alias].find((candidate) => candidate !== undefined && env[candidate])
  if (set !== undefined) return { name, text: env[set], origin: set }
  const file = hidden && env[`${key}_FILE`]
  if (file) return { name, text: readSecret(`${key}_FILE`, file), origin: `${key}_FILE` }
  if (data !== undefined && kept !== undefined && existsSync(join(data, kept)))
    return { name, text: readSecret(join(data, kept), join(data, kept)), origin: join(data, kept) }
  return { name, text: usual, origin: 'default' }
}

function readSecret(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new ErrandError(
      'INVALID_SETTING',
      { setting, problem: 'names a file that cannot be read' },
      { cause },
    )
  }
}

function parse({ name, text: said, origin }: Reading): unknown {
  if (said === undefined) return undefined
  const value = ROWS[name].parse(said)
  if (value !== undefined) return value
  throw new ErrandError('INVALID_SETTING', {
    setting: origin,
    problem: `needs ${ROWS[name].expects}`,
  })
}

function refuseUnknown(env: Env): void {
  const rows = NAMES.map((name) => ROWS[name])
  const known = rows.flatMap(({ env: key, secret: hidden }) =>
    hidden ? [key, `${key}_FILE`] : [key],
  )
  const stray = Object.keys(env).find((key) => key.startsWith('ERRAND_') && !known.includes(key))
  if (stray === undefined) return
  const close = nearest(stray, known)
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  throw new ErrandError('INVALID_SETTING', { setting: stray, problem: `is not known${hint}` })
}
