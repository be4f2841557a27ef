import { STATUS_CODES } from 'node:http'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type Code, ErrandError, type Issue } from '../job/errors.ts'
import type { Env } from './app.ts'
import type { ProblemView } from './schemas.ts'

/** The one place that knows which HTTP status a code is. */
const STATUS = {
  UNKNOWN_JOB: 422,
  DUPLICATE_NAME: 500,
  INVALID_INPUT: 422,
  UNSTORABLE_INPUT: 422,
  INVALID_CRON: 422,
  CRON_NEVER_FIRES: 422,
  UNKNOWN_TIME_ZONE: 422,
  SCHEDULE_NOT_FOUND: 404,
  SCHEDULE_TAKEN: 409,
  SCHEDULE_FROM_CODE: 409,
  SCHEDULE_UNFINISHED: 409,
  SCHEDULES_FULL: 409,
  PAUSES_FULL: 409,
  SHARED: 403,
  STEP_REFUSED: 500,
  UNKNOWN_LIMIT: 404,
  INPUT_TOO_LARGE: 413,
  UNKNOWN_OPTION: 422,
  INVALID_OPTION: 422,
  INVALID_ITEMS: 422,
  BATCH_NOT_FOUND: 404,
  BATCH_CLOSED: 409,
  ID_TAKEN: 409,
  UNIQUE_TAKEN: 409,
  LIMIT_REACHED: 429,
  JOB_NOT_FOUND: 404,
  JOB_ERASED: 410,
  STILL_HOOKED: 409,
  BATCH_OPEN: 409,
  WRONG_STATE: 409,
  NOT_WAITING: 409,
  MAILBOX_FULL: 409,
  RESULT_NOT_READY: 409,
  RESULT_DROPPED: 410,
  JOB_FAILED: 409,
  JOB_CANCELLED: 409,
  SEAL_KEYS_MISSING: 503,
  SEAL_UNKNOWN: 503,
  SEAL_BROKEN: 500,
  INVALID_FILE_NAME: 422,
  ARTIFACT_TOO_LARGE: 413,
  ARTIFACT_NOT_FOUND: 404,
  FILES_FULL: 507,
  UNKNOWN_STORE: 500,
  STORE_UNREACHABLE: 503,
  STORE_UNSAFE: 503,
  STORE_CHANGED: 503,
  STORE_BUSY: 503,
  STORE_FULL: 503,
  STORE_READONLY: 503,
  STORE_CORRUPT: 503,
  STORE_FAILED: 503,
  STORE_CLOSED: 503,
  SCHEMA_TOO_NEW: 503,
  SCHEMA_OUTDATED: 503,
  TX_UNSUPPORTED: 500,
  WORKER_GONE: 500,
  WORKERS_ALIVE: 409,
  JOBS_CHANGED: 409,
  INVALID_EXPORT: 422,
  JOBS_REFUSED: 409,
  APP_NOT_FOUND: 500,
  INVALID_APP: 500,
  INVALID_SETTING: 500,
  ADDRESS_REFUSED: 500,
  ADDRESS_IN_USE: 500,
  STILL_RUNNING: 500,
  RUNS_WITHOUT_END: 500,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  VALIDATION_FAILED: 422,
  INVALID_QUERY: 400,
  INVALID_JSON: 400,
  INVALID_UTF8: 400,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNSUPPORTED_ENCODING: 415,
  INVALID_IDEMPOTENCY_KEY: 400,
  IDEMPOTENCY_KEY_REUSED: 422,
  UNAUTHENTICATED: 401,
  MISDIRECTED_REQUEST: 421,
  LINK_INVALID: 403,
  LINK_EXPIRED: 403,
  RANGE_NOT_SATISFIABLE: 416,
  INTERNAL: 500,
} as const satisfies Record<Code, ContentfulStatusCode>

const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'www-authenticate': 'Bearer' },
  413: { connection: 'close' },
  415: { 'accept-post': 'application/json' },
  429: { 'retry-after': '1' },
  503: { 'retry-after': '1' },
}

const TEXT_MAX = 300
const SQLITE_FULL = 13
const PATH_MAX = 150

type Problem = ProblemView & { status: ContentfulStatusCode }
type Request = { requestId: string; path: string }

/** An error as RFC 9457 has it. Nothing that is not ours to tell is in it. */
export function toProblem(error: unknown, request: Request): Problem {
  if (error instanceof HTTPException) return fromStatus(error, request)
  const { code, message, details, issues } = ours(error)
  const status = STATUS[code]
  // A text among the details of a failure of ours may hold a path or a driver's words.
  const isPrivate =
    status >= 500 && Object.values(details).some((detail) => typeof detail === 'string')
  const errors = [...issues, ...optionIssue(code, details)]
  return {
    type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title: titleOf(code),
    status,
    detail: clip(isPrivate ? ours(undefined).message : message),
    instance: clip(request.path, PATH_MAX),
    code,
    requestId: request.requestId,
    ...(errors.length > 0 && { errors }),
  }
}

/** Answers with the problem an error is; `status` overrules the table. */
export function answerProblem(c: Context<Env>, error: unknown, status?: 403): Response {
  const problem = toProblem(error, { requestId: c.get('requestId'), path: c.req.path })
  const said = status === undefined ? problem : { ...problem, status }
  return c.body(JSON.stringify(said), said.status, {
    'content-type': 'application/problem+json; charset=utf-8',
    ...HEADERS[said.status],
  })
}

const ours = (error: unknown): ErrandError =>
  error instanceof ErrandError
    ? error
    : new ErrandError(isDiskFull(error) ? 'STORE_FULL' : 'INTERNAL', {}, { cause: error })

/** As files, or a SQLite file of an app's own, say it. */
const isDiskFull = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && error.code === 'ENOSPC') ||
    ('errcode' in error && error.errcode === SQLITE_FULL))

/** An app may throw an HTTPException: what it says is for its callers, but for a failure that nobody foresaw. */
function fromStatus({ status, message }: HTTPException, { requestId, path }: Request): Problem {
  const title = STATUS_CODES[status] ?? 'Error'
  return {
    type: 'about:blank',
    title,
    status,
    detail: clip(status !== 500 && message !== '' ? message : title),
    instance: clip(path, PATH_MAX),
    code: title.toUpperCase().replaceAll(/\W+/g, '_'),
    requestId,
  }
}

function optionIssue(code: Code, { option, problem }: Record<string, string | number>): Issue[] {
  if (code !== 'INVALID_OPTION') return []
  return [{ pointer: `/${option}`.replaceAll('.', '/'), code: 'invalid', detail: `${problem}` }]
}

function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const clip = (text: string, max = TEXT_MAX) => (text.length > max ? `${text.slice(0, max)}…` : text)
