/** Every way Errand says no. The key is the code; `docs/errors.md` explains each and a test keeps it so. */
const REASONS = {
  // What a caller asked for
  UNKNOWN_JOB: 'no job named {job} is defined here{hint}',
  DUPLICATE_NAME: 'two jobs are named {job}; give one of them another name',
  INVALID_INPUT: 'the input does not fit the schema of {job}',
  UNSTORABLE_INPUT: 'the input cannot be stored as JSON: {why} at "{pointer}"',
  INPUT_TOO_LARGE: 'the input has {bytes} bytes; at most {max} are accepted',
  UNKNOWN_OPTION: 'there is no option {option}{hint}',
  INVALID_OPTION: 'the option {option} {problem}',
  ID_TAKEN: 'the id {id} belongs to a job with another input',
  UNIQUE_TAKEN: 'another job of this name holds the same unique value: {id}',
  LIMIT_REACHED: 'as many jobs of {key} wait as may; try again later',
  JOB_NOT_FOUND: 'no job has the id {id}',
  INVALID_ITEMS: '{count} items cannot be taken; nothing was stored',
  BATCH_NOT_FOUND: 'no batch has the id {id}',
  BATCH_CLOSED: 'the batch {id} is closed and takes no more items',
  JOB_ERASED: 'the job of this request was erased: {id}',
  STILL_HOOKED:
    'the job {id} is erased once its hook has completed: cancel it where it has not ended, then ask again',
  BATCH_OPEN: 'the batch of the job {id} still takes items; erase it once that is closed',
  WRONG_STATE: 'the job {id} is {state} and cannot be {verb} now',
  RESULT_NOT_READY: 'the job {id} is {state}; ask again later or wait longer',
  NOT_WAITING: 'the job {id} does not wait for the signal {signal} now',
  MAILBOX_FULL: 'the mailbox of the job {id} holds {max} signals; no more are taken',
  RESULT_DROPPED: 'the result of the job {id} was kept for a time which is over',
  JOB_FAILED: 'the job {id} failed: {reason}',
  JOB_CANCELLED: 'the job {id} was cancelled',
  INVALID_CRON: 'the cron rule {problem}',
  CRON_NEVER_FIRES: 'the cron rule never fires',
  UNKNOWN_TIME_ZONE: 'there is no time zone {zone}; name one such as Australia/Perth',
  SCHEDULE_NOT_FOUND: 'no schedule is named {name}',
  SCHEDULE_TAKEN: 'there is a schedule named {name}',
  SCHEDULE_FROM_CODE: 'the schedule {name} is defined in the code of an app; change it there',
  SCHEDULE_UNFINISHED: 'the run before of the schedule {name} has not ended',
  SCHEDULES_FULL: 'there are {max} schedules; no more are taken',
  PAUSES_FULL: '{max} queues are paused; no more are',
  SHARED: '{what} {name} is not one tenant’s alone',
  STEP_REFUSED: 'the step {step} {problem}',
  UNKNOWN_LIMIT: 'no limit is named {limit}{hint}',
  // Private data
  SEAL_KEYS_MISSING: 'sealed data needs keys; set ERRAND_SEAL_KEYS, or sealKeys where it is opened',
  SEAL_UNKNOWN: 'no key {key} is here; add it to ERRAND_SEAL_KEYS',
  SEAL_BROKEN: 'what is sealed in the job {id} cannot be opened',
  // Files
  INVALID_FILE_NAME: 'a file name needs 1 to 255 bytes without slashes or control characters',
  ARTIFACT_TOO_LARGE: 'the file {file} is larger than {max} bytes',
  ARTIFACT_NOT_FOUND: 'no such file, or it has expired',
  FILES_FULL: 'the disk for files is full',
  // The store
  UNKNOWN_STORE: 'the store {url} is not understood; use sqlite:<file>, redis://… or postgres://…',
  STORE_UNREACHABLE: 'the store cannot be reached: {why}',
  STORE_UNSAFE: 'the store would lose jobs: {why}',
  STORE_CHANGED: 'the store is not the one this process began with: {why}',
  STORE_BUSY: 'the store was busy for {waitedMs} ms',
  STORE_FULL: 'the disk of the store is full; nothing accepted was lost',
  STORE_READONLY: 'the store cannot be written; check the permissions of {file}',
  STORE_CORRUPT: 'the store {file} is damaged; stop, keep a copy, and restore a backup',
  STORE_FAILED: 'the store failed: {why}',
  STORE_CLOSED: 'the store is closed',
  SCHEMA_TOO_NEW: 'the store has schema {found}, this release knows {known}; run a newer release',
  SCHEMA_OUTDATED: 'the store has schema {found}, this release needs {known}; run: errand migrate',
  TX_UNSUPPORTED: 'jobs on {store} cannot be part of your transaction; enqueue after its commit',
  WORKER_GONE: 'worker {worker} lost its lease and must register anew',
  // Moving jobs from one store to another
  WORKERS_ALIVE:
    'workers are alive on {store} ({count}); stop them, or wait until their leases ran out; errand workers shows them',
  JOBS_CHANGED:
    'jobs of {queue} came or changed while they were read; stop what enqueues, and export again',
  INVALID_EXPORT: 'this is not a whole export: {why}',
  JOBS_REFUSED: '{count} of {total} jobs were refused; all others are in',
  // Starting up
  APP_NOT_FOUND: 'no app file at {file}; name one with --app',
  INVALID_APP: 'the app file {file} {problem}',
  INVALID_SETTING: 'the setting {setting} {problem}',
  ADDRESS_REFUSED: 'listening on {host} needs authenticate in the app, or --insecure',
  ADDRESS_IN_USE: 'the address {address} is in use; choose another with --port',
  // In a rehearsal
  STILL_RUNNING:
    'the job {id} ({job}) still runs after {ms} ms; if it waits for the clock, advance it',
  RUNS_WITHOUT_END: 'there is more to do after {max} runs; a job of {job} would be next',
  // Over HTTP
  NOT_FOUND: 'nothing is here',
  METHOD_NOT_ALLOWED: 'this method is not allowed here; use {allow}',
  VALIDATION_FAILED: 'the request does not fit the schema',
  INVALID_QUERY: 'the query parameter {parameter} {problem}',
  INVALID_JSON: 'the body is not JSON',
  INVALID_UTF8: 'the body is not UTF-8',
  BODY_TOO_LARGE: 'the body is larger than {max} bytes',
  UNSUPPORTED_MEDIA_TYPE: 'send application/json in UTF-8',
  UNSUPPORTED_ENCODING: 'send the body without Content-Encoding',
  INVALID_IDEMPOTENCY_KEY: 'an Idempotency-Key needs 1 to 255 visible characters',
  IDEMPOTENCY_KEY_REUSED: 'this Idempotency-Key was used with another body',
  UNAUTHENTICATED: 'say who you are',
  MISDIRECTED_REQUEST: 'this server does not answer for that host',
  LINK_INVALID: 'this link is not valid',
  LINK_EXPIRED: 'this link has expired; ask for a new one',
  RANGE_NOT_SATISFIABLE: 'the file has no such range',
  INTERNAL: 'the request failed; quote the request id',
} as const

export type Code = keyof typeof REASONS
export const CODES: readonly string[] = Object.keys(REASONS)

/** The names between braces: `Blanks<'a {b} c {d}'>` is `'b' | 'd'`. */
type Blanks<Text> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Blanks<Rest>
  : never

export type Details<C extends Code> = Record<Blanks<(typeof REASONS)[C]>, string | number>

/** One thing wrong with an input: where, as a JSON pointer, and what. */
export type Issue = { pointer: string; code: string; detail: string }

/** Everything Errand throws. Tell errors apart by `code`; messages may be reworded. */
export class ErrandError<C extends Code = Code> extends Error {
  override readonly name = 'ErrandError'
  readonly code: C
  readonly details: Details<C>
  /** What is wrong with an input, place by place; empty for other errors. */
  readonly issues: readonly Issue[]

  constructor(
    code: C,
    details: Details<C>,
    options: ErrorOptions & { issues?: readonly Issue[] } = {},
  ) {
    const { issues = [], ...rest } = options
    const blanks: Record<string, string | number> = details
    super(
      REASONS[code].replace(/{(\w+)}/g, (_, blank: string) => `${blanks[blank]}`),
      rest,
    )
    this.code = code
    this.details = details
    this.issues = issues
  }
}

/** Whether something thrown is an ErrandError with this code. */
export function hasCode<C extends Code>(error: unknown, code: C): error is ErrandError<C> {
  return error instanceof ErrandError && error.code === code
}
