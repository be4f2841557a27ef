import { ErrandError } from '../../job/errors.ts'

/** SQLite's primary result codes that mean something to us. @see https://sqlite.org/rescode.html */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined

export const isBusy = (error: unknown): boolean => [BUSY, LOCKED].includes(codeOf(error) ?? 0)

/** Whether SQLite itself failed, rather than one statement of one call. */
export const isFault = (error: unknown): boolean =>
  [READONLY, 10, CORRUPT, FULL, CANTOPEN, NOTADB].includes(codeOf(error) ?? 0)

/** What SQLite threw, in our words. The cause is kept. */
export function toErrand(error: unknown, file: string): unknown {
  const options = { cause: error }
  switch (codeOf(error)) {
    case undefined:
      return error
    case BUSY:
    case LOCKED:
      return new ErrandError('STORE_BUSY', { waitedMs: 0 }, options)
    case READONLY:
      return new ErrandError('STORE_READONLY', { file }, options)
    case FULL:
      return new ErrandError('STORE_FULL', {}, options)
    case CORRUPT:
    case NOTADB:
      return new ErrandError('STORE_CORRUPT', { file }, options)
    case CANTOPEN:
      return new ErrandError(
        'STORE_UNREACHABLE',
        { why: `the file ${file} cannot be opened` },
        options,
      )
    default:
      return new ErrandError(
        'STORE_FAILED',
        { why: error instanceof Error ? error.message : 'unknown' },
        options,
      )
  }
}
