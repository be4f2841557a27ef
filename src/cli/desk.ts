import { type Command, Option } from 'commander'
import type { Errand, OpenOptions } from '../open.ts'
import { userInfo } from 'node:os'
import type { By } from '../job/audit.ts'
import { Print } from './print.ts'
import { type SettingName, SETTINGS, type Settings } from './rows.ts'
import { digestOf, type InForce, readSettings } from './settings.ts'

/** What a command is given: the settings in force, a printer, and the store on demand. */
export class Desk {
  readonly #command: Command
  #inForce: InForce | undefined

  constructor(command: Command) {
    this.#command = command
  }

  get inForce(): InForce {
    return (this.#inForce ??= readSettings(flagsOf(this.#command)))
  }

  get settings(): Settings {
    return this.inForce.settings
  }

  /** What tells this build and its settings apart from others on the same store. */
  get build(): { release?: string; settings: string } {
    const { release } = this.settings
    const settings = digestOf(this.inForce.readings)
    return { ...(release !== undefined && { release }), settings }
  }

  get print(): Print {
    return new Print(this.#command.optsWithGlobals().json === true)
  }

  /** On whose behalf a command acts: the user of this terminal. */
  by(note?: string): By {
    return { person: userName(), from: 'cli', ...(note !== undefined && { note }) }
  }

  /** Opens the store; whoever does so closes it. Imported late: telling the usage needs none. */
  async errand(options: OpenOptions = {}): Promise<Errand> {
    const { store, files, durability, sealKeys } = this.settings
    const { open } = await import('../open.ts')
    return open(store, { files, durability, ...(sealKeys && { sealKeys }), ...options })
  }
}

/** Where a container knows its user by number only, that is the name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

/** Lets a command take these settings as flags. */
export function offer(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const row = SETTINGS[name]
    if (!('flag' in row)) continue
    const usual = 'default' in row && row.flag.includes('<') ? ` (default: ${row.default})` : ''
    command.addOption(new Option(row.flag, `${row.about}${usual} [${row.env}]`))
  }
  return command
}

export const SERVE_SETTINGS = [
  'host',
  'port',
  'insecure',
  'files',
  'durability',
  'graceMs',
  'release',
] as const
export const WORKER_SETTINGS = [
  ...([
    'queues',
    'concurrency',
    'processes',
    'maxJobs',
    'maxMemory',
    'overloadMs',
    'files',
    'durability',
  ] as const),
  ...([
    'leaseMs',
    'renewMs',
    'sweepMs',
    'pollMs',
    'graceMs',
    'cancelGraceMs',
    'auditKeepMs',
    'release',
  ] as const),
]

/** The flags a person typed, by the setting each of them says. */
function flagsOf(command: Command): Partial<Record<SettingName, string>> {
  const given: Record<string, unknown> = command.optsWithGlobals()
  const said = Object.entries(SETTINGS).flatMap(([name, row]) => {
    const value = 'flag' in row ? given[new Option(row.flag).attributeName()] : undefined
    const text = value === true ? 'true' : value
    return typeof text === 'string' ? [[name, text]] : []
  })
  return Object.fromEntries(said)
}
