import { Command, CommanderError, Option } from 'commander'
import type { Code } from '../job/errors.ts'
import { COMMANDS } from './commands.ts'
import { Desk, offer } from './desk.ts'
import { isErrand } from './fault.ts'
import { Print } from './print.ts'
import { report } from './report.ts'
import { VERSION } from './version.ts'

const NO = 1
const USAGE = 2
const NOT_FOUND = 3
const UNAVAILABLE = 69
const BUG = 70
const DISK = 74
const CONFIGURATION = 78

/** What a command answers to the shell. A code that is not here is a bug when it gets this far. */
const EXITS: Partial<Record<Code, number>> = {
  JOB_FAILED: NO,
  JOB_CANCELLED: NO,
  RESULT_NOT_READY: NO,
  WRONG_STATE: NO,
  STILL_HOOKED: NO,
  BATCH_OPEN: NO,
  NOT_WAITING: NO,
  SEAL_BROKEN: NO,
  MAILBOX_FULL: NO,
  ID_TAKEN: NO,
  UNIQUE_TAKEN: NO,
  LIMIT_REACHED: NO,
  BATCH_CLOSED: NO,
  SCHEDULE_TAKEN: NO,
  SCHEDULE_FROM_CODE: NO,
  SCHEDULE_UNFINISHED: NO,
  SCHEDULES_FULL: NO,
  PAUSES_FULL: NO,
  WORKERS_ALIVE: NO,
  JOBS_CHANGED: NO,
  JOBS_REFUSED: NO,
  INVALID_EXPORT: USAGE,
  INVALID_INPUT: USAGE,
  INVALID_ITEMS: USAGE,
  UNSTORABLE_INPUT: USAGE,
  INPUT_TOO_LARGE: USAGE,
  INVALID_JSON: USAGE,
  INVALID_QUERY: USAGE,
  UNKNOWN_OPTION: USAGE,
  INVALID_OPTION: USAGE,
  INVALID_CRON: USAGE,
  CRON_NEVER_FIRES: USAGE,
  UNKNOWN_TIME_ZONE: USAGE,
  UNKNOWN_JOB: NOT_FOUND,
  SCHEDULE_NOT_FOUND: NOT_FOUND,
  JOB_NOT_FOUND: NOT_FOUND,
  BATCH_NOT_FOUND: NOT_FOUND,
  JOB_ERASED: NOT_FOUND,
  RESULT_DROPPED: NOT_FOUND,
  UNKNOWN_LIMIT: NOT_FOUND,
  ARTIFACT_NOT_FOUND: NOT_FOUND,
  STORE_UNREACHABLE: UNAVAILABLE,
  STORE_BUSY: UNAVAILABLE,
  STORE_FAILED: UNAVAILABLE,
  STORE_CLOSED: UNAVAILABLE,
  STORE_FULL: DISK,
  STORE_READONLY: DISK,
  STORE_CORRUPT: DISK,
  FILES_FULL: DISK,
  SEAL_KEYS_MISSING: CONFIGURATION,
  SEAL_UNKNOWN: CONFIGURATION,
  UNKNOWN_STORE: CONFIGURATION,
  STORE_UNSAFE: CONFIGURATION,
  STORE_CHANGED: CONFIGURATION,
  SCHEMA_TOO_NEW: CONFIGURATION,
  SCHEMA_OUTDATED: CONFIGURATION,
  APP_NOT_FOUND: CONFIGURATION,
  INVALID_APP: CONFIGURATION,
  DUPLICATE_NAME: CONFIGURATION,
  INVALID_SETTING: CONFIGURATION,
  ADDRESS_REFUSED: CONFIGURATION,
  ADDRESS_IN_USE: CONFIGURATION,
}

export function exitOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  return isErrand(error) ? (EXITS[error.code] ?? BUG) : BUG
}

export function build(): Command {
  const program = new Command('errand')
    .description('Background jobs for TypeScript services and for anyone who speaks HTTP.')
    .version(VERSION, '-V, --version')
    .helpCommand(false)
    .showHelpAfterError('Run it with --help to see what there is.')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addOption(new Option('--json', 'print one JSON document'))
  offer(program, ['store', 'data', 'app', 'logLevel'])
  for (const [name, { group, about }] of Object.entries(COMMANDS))
    program.command(name).description(about).helpGroup(group)
  return program.hook('preSubcommand', async (_, command) => {
    const define = await COMMANDS[command.name()]?.load()
    define?.(command, new Desk(command))
  })
}

/** Runs one command line; what it answers to the shell is left in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await build().parseAsync(argv, { from: 'user' })
  } catch (error) {
    process.exitCode = exitOf(error)
    // Commander has said its own errors already.
    if (!(error instanceof CommanderError)) report(error, new Print(argv.includes('--json')))
  }
  // The line to the manager would keep a finished process alive.
  if (process.connected) process.disconnect?.()
}

if (import.meta.main) {
  // Whoever reads only the first lines of an answer has had enough of it.
  process.stdout.on('error', () => process.exit())
  await main(process.argv.slice(2))
}
