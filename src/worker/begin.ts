import type { Millis } from '../base/time.ts'
import { encodeFailure } from '../job/failure.ts'
import type { Claimed } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import type { Policy } from '../job/policy.ts'
import type { Limits } from './crew.ts'

/** What becomes of a claimed job that must not begin any more, or cannot begin here; nothing when it may. */
export function unfitToBegin(
  job: Claimed,
  known: ReadonlySet<string>,
  now: Millis,
): Report | undefined {
  const isFresh = job.failures + job.crashes + job.losses === 0
  if (isFresh && job.expiresAt !== undefined && now > job.expiresAt) return { how: 'expired' }
  if (job.deadlineAt !== undefined && now >= job.deadlineAt) return pastDeadline()
  return known.has(job.job) ? undefined : { how: 'unknown' }
}

/** A deadline nearer than the soft limit takes its place; what is killed is killed as long after it. */
export function limitsOf({ deadlineAt = Infinity }: Claimed, policy: Policy, now: Millis): Limits {
  const softMs = Math.min(policy.softMs, deadlineAt - now)
  const hardMs = softMs + policy.hardMs - policy.softMs
  return { softMs, hardMs, attemptsMax: policy.attempts, now }
}

const pastDeadline = (): Report => ({
  how: 'failed',
  reason: 'timeout',
  error: encodeFailure('DeadlineError', 'its deadline passed before it began'),
  retry: true,
})
