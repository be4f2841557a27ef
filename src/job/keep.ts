import type { Millis } from '../base/time.ts'
import type { Claimed, Job } from './job.ts'
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

/** No file stays longer, whoever says so. */
export const FILES_KEPT_MAX_MS = 7 * 86_400_000

/** Spans, or moments, after which the input or the result of a completed job goes. */
export type Drops = { input?: Millis; result?: Millis }

/** What of a completed job goes before its record does, which stays for `keepMs`; spans from its end. */
export function dropsOf({ policy }: Pick<Claimed, 'policy'>, keepMs: Millis): Drops | undefined {
  const { keepInputMs: input = keepMs, keepResultMs: result = keepMs } = readPolicy(policy)
  if (input >= keepMs && result >= keepMs) return undefined
  return { ...(input < keepMs && { input }), ...(result < keepMs && { result }) }
}

/** What has been dropped of a job by now: an input is never empty; of a result the time says it. */
export function droppedOf(
  job: Pick<Job, 'policy' | 'state' | 'input' | 'result' | 'endedAt'>,
  now: Millis,
): readonly ('input' | 'result')[] {
  const { endedAt, input, result } = job
  if (job.state !== 'completed' || endedAt === undefined) return []
  const { keepResultMs = Infinity } = readPolicy(job.policy)
  const hasLostResult = result === undefined && endedAt + keepResultMs <= now
  return [
    ...(input.length === 0 ? (['input'] as const) : []),
    ...(hasLostResult ? (['result'] as const) : []),
  ]
}
