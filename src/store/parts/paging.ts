import { ErrandError } from '../../job/errors.ts'
import type { JobId } from '../../job/job.ts'
import type { State } from '../../job/state.ts'
import type { Filter } from '../contract.ts'

/** What a page goes along: the line, set or index that holds just what was asked for. */
export type Walk = Exclude<State, 'completed'> | 'all' | 'tagged' | 'held'
/** Where a page ended, in the order of its walk. */
export type Key = (string | number)[]

/** How many jobs a page looks at, at most: it may be short while the cursor goes on. */
export const LOOKED_AT_MAX = 1000

export const choose = ({ state, tag }: Filter): Walk =>
  tag !== undefined ? 'tagged' : state === undefined || state === 'completed' ? 'all' : state

/** What filters ask of a job. */
export type Seen = { state: State; job: string; queue: string; tenant: string; batch?: JobId }

export const fits = (seen: Seen, { state, job, queue, tenant, batch }: Filter): boolean =>
  (state === undefined || seen.state === state) &&
  (job === undefined || seen.job === job) &&
  (queue === undefined || seen.queue === queue) &&
  (batch === undefined || seen.batch === batch) &&
  (tenant === undefined || seen.tenant === tenant)

export const writeCursor = (walk: Walk | 'batches', key: Key): string =>
  Buffer.from(JSON.stringify([walk, ...key])).toString('base64url')

/** `like` is a key of this walk: a cursor of another list is refused. @throws ErrandError INVALID_QUERY */
export function readCursor(cursor: string, walk: Walk | 'batches', like: Key): Key {
  try {
    const [of, ...key]: Key = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const isAlike = key.every((part, i) => typeof part === typeof like[i])
    if (of === walk && key.length === like.length && isAlike) return key
  } catch {
    // Falls through to the refusal: no text of the cursor is repeated.
  }
  throw new ErrandError('INVALID_QUERY', {
    parameter: 'cursor',
    problem: 'is not one of this list',
  })
}
