import type { Range } from '../files/contract.ts'
import { ErrandError } from '../job/errors.ts'

const ONE = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * The part of a file that a Range header asks for; undefined asks for all of it.
 * @throws ErrandError RANGE_NOT_SATISFIABLE (outside the file, more than one, or not understood)
 */
export function readRange(header: string | undefined, bytes: number): Range | undefined {
  if (header === undefined) return undefined
  const [, first = '', last = ''] = ONE.exec(header) ?? []
  const range =
    first === ''
      ? { from: last === '' ? bytes : Math.max(0, bytes - Number(last)), to: bytes - 1 }
      : { from: Number(first), to: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) }
  if (range.from > range.to) throw new ErrandError('RANGE_NOT_SATISFIABLE', {})
  return range
}
