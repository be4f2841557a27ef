import type { Millis } from '../base/time.ts'
import type { Claimed } from './job.ts'
import { readPolicy } from './policy.ts'
import type { Ended } from './state.ts'

/** How long the record of a job stays, counted from its end. `files`: how long each of its files does. */
export function keepMsOf(
  { policy, createdAt }: Pick<Claimed, 'policy' | 'createdAt'>,
  state: Ended,
  endedAt: Millis,
  files: readonly Millis[] = [],
): Millis {
  const { keepCompletedMs, keepFailedMs, keepAtLeastMs } = readPolicy(policy)
  const own = state === 'completed' ? keepCompletedMs : keepFailedMs
  // The record lives as long as its files: a link must find its job.
  return Math.max(own, createdAt + keepAtLeastMs - endedAt, ...files)
}
