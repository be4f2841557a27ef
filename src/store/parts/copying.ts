import { isEnded } from '../../job/state.ts'
import type { Adoptee } from '../../job/moving.ts'
import { ErrandError } from '../../job/errors.ts'

/** Where a copy goes on: after a job's turn, after one of those that joined, after a batch's turn. */
export type Mark = { of: 'jobs' | 'batches'; after: number } | { of: 'aliases'; after: string }

/** A page holds about as much at most: what a process and a line carry with ease. */
export const PAGE_BYTES = 4_194_304
/** The last job of each may have an input as large as any. */
export const BATCHES_MAX = 16
/** Runs that are not counted have no other bound. */
export const RUNS_MAX = 1000

const MARK = /^(?:jobs (\d+)|batches (\d+)|aliases (.*))$/

export const START: Mark = { of: 'jobs', after: -1 }

export const writeMark = ({ of, after }: Mark): string =>
  Buffer.from(`${of} ${after}`).toString('base64url')

/** @throws ErrandError INVALID_QUERY */
export function readMark(cursor: string | undefined): Mark {
  if (cursor === undefined) return START
  const found = MARK.exec(Buffer.from(cursor, 'base64url').toString())
  if (found?.[1] !== undefined) return { of: 'jobs', after: Number(found[1]) }
  if (found?.[2] !== undefined) return { of: 'batches', after: Number(found[2]) }
  if (found?.[3] !== undefined) return { of: 'aliases', after: found[3] }
  throw new ErrandError('INVALID_QUERY', { parameter: 'cursor', problem: 'is not one of a copy' })
}

/** Whether a job that stands so holds its unique value. */
export const holds = ({ unique, state }: Pick<Adoptee, 'unique' | 'state'>): boolean =>
  unique !== undefined && (!isEnded(state) || (state === 'completed' && unique.until === 'kept'))
