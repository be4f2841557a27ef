import { ErrandError } from '../../job/errors.ts'

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Serialisation failure and deadlock: the server undid the whole transaction. */
export const isUndone = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

/** The server knows no prepared statement of this name, or one by another's text. */
export const isUnprepared = (error: unknown): boolean => ['26000', '42P05'].includes(codeOf(error))

/** Classes of SQLSTATE, and codes of sockets, that say the server is not there, or not now. */
const UNREACHABLE =
  /^(08|57P0|25006|3D000|28|ECONN|ENOTFOUND|EPIPE|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|ENETUNREACH|ENOENT|EACCES)/
/** What the server says of a statement; any other code is of the way to it: a certificate, a name. */
const SQLSTATE = /^[\dA-Z]{5}$/
const BUSY = /^(53300|53400|55P03|57014|40001|40P01)/
const FULL = /^53[12]00/
const CORRUPT = /^XX00[12]/

/** What `pg` says of connections that it gave up itself, without a code. */
const LOST = /timeout|terminated|Connection|not queryable|closed/i

/** Whether the line went down, or the server with it: nobody knows whether the call arrived. */
export const isLost = (error: unknown): boolean => {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : ''
  return code === ''
    ? !(error instanceof ErrandError) && LOST.test(message)
    : /^(08|57P0|E)/.test(code)
}

/** Whether a call waited too long for what another transaction has locked. */
export const isHeldUp = (error: unknown): boolean =>
  error instanceof ErrandError && codeOf(error.cause) === '55P03'

/** What PostgreSQL or the way to it threw, in our words. The cause is kept; no value is repeated. */
export function toErrand(error: unknown): unknown {
  if (error instanceof ErrandError) return error
  const options = { cause: bare(error) }
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : ''
  if (FULL.test(code)) return new ErrandError('STORE_FULL', {}, options)
  if (BUSY.test(code)) return new ErrandError('STORE_BUSY', { waitedMs: 0 }, options)
  if (CORRUPT.test(code)) return new ErrandError('STORE_CORRUPT', { file: 'database' }, options)
  if (
    UNREACHABLE.test(code) ||
    (code !== '' && !SQLSTATE.test(code)) ||
    (code === '' && (error instanceof AggregateError || LOST.test(message)))
  )
    return new ErrandError('STORE_UNREACHABLE', { why: reasonOf(code, message) }, options)
  if (code === '') return error
  return new ErrandError('STORE_FAILED', { why: `SQLSTATE ${code}` }, options)
}

const reasonOf = (code: string, message: string): string =>
  code === '25006'
    ? 'the server is a read-only replica'
    : code.startsWith('28')
      ? 'the server refuses this user'
      : code === '3D000'
        ? 'the server has no such database'
        : code === ''
          ? message.toLowerCase()
          : `the connection failed (${code})`

/** Where a value was at fault the server repeats it, in its message and beside it: whoever logs a cause would too. */
function bare(error: unknown): unknown {
  if (!(error instanceof Error) || !/^2[23]/.test(codeOf(error))) return error
  for (const field of ['detail', 'where', 'internalQuery']) Reflect.deleteProperty(error, field)
  const said = error.message
  error.message = said.replaceAll(/"[^"]*"|: .*$/gs, '…')
  error.stack = error.stack?.replace(said, () => error.message) ?? ''
  return error
}
