import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import { delayAfter } from './backoff.ts'
import { encodeFailure } from './failure.ts'
import { hookOf, hookOfCancel } from './hooks.ts'
import type { Artifact, Claimed, Job, JobId, Mail, NewJob } from './job.ts'
import { type Drops, dropsOf, keepMsOf } from './keep.ts'
import { limitWait, opened } from './rate.ts'
import { wordTo } from './words.ts'
import { type Policy, readPolicy } from './policy.ts'
import type { Reason } from './state.ts'

/** How an attempt ended, as its executor or its foreman saw it. */
export type Report =
  | {
      how: 'completed'
      result?: Bytes
      withErrors: boolean
      artifacts: readonly NewArtifact[]
      /** Jobs that it leaves behind. */
      more?: readonly NewJob[]
    }
  | { how: 'failed'; reason: Reason; error: Bytes; retry: boolean; delayMs?: Millis }
  | { how: 'cancelled' }
  | { how: 'expired' }
  /** Given back: before it began, or because its process was stopped for another reason than this job. */
  | { how: 'released'; begun: boolean }
  /** All that it still does is wait. */
  | ({ how: 'suspended' } & Omit<Suspension, 'to'>)
  /** Given back by a handler that closed a limit, which is closed for so long. */
  | { how: 'closed'; limit: string; ms: Millis }
  /** No handler of this name here. */
  | { how: 'unknown' }
  /** Taken over from a worker whose lease ran out. */
  | { how: 'lost' }
  /** Its executor died under it; `why` is a signal, an exit code, or what the handler called. */
  | { how: 'crashed'; why: string }

export type NewArtifact = Omit<Artifact, 'expiresAt' | 'fence'> & { keepMs: Millis }

/** What a settlement says, as data. `decide` chooses it from policy and counters; a store writes it down. */
export type Outcome =
  | {
      to: 'completed'
      result?: Bytes
      withErrors: boolean
      artifacts: readonly NewArtifact[]
      keepMs: Millis
      /** What goes before the record: spans from now. */
      drops?: Drops
      hook?: NewJob
      /** Jobs inserted in the same step, as its hook is. */
      more?: readonly NewJob[]
      word?: Word
    }
  | {
      to: 'failed'
      reason: Reason
      error: Bytes
      raise?: Counter
      keepMs: Millis
      hook?: NewJob
      word?: Word
    }
  | Cancelling
  | { to: 'scheduled'; delayMs: Millis; reason: Reason; error: Bytes; raise: Counter }
  /** Released: nothing is counted; a run that had begun is remembered all the same. */
  | { to: 'ready'; begun: boolean }
  /** Parked for a worker that knows the name. */
  | { to: 'waiting'; for: 'handler' }
  | Suspension

/**
 * Set aside until a moment, until one of these messages is in its mailbox, or all of those. One that is there
 * already, or an hour that has passed, makes it ready at once.
 */
export type Suspension = {
  to: 'waiting'
  /** What people are told that it waits for. */
  for: string
  wakeAt?: Millis
  one: readonly string[]
  all: readonly string[]
}

/**
 * How a cancel ends a job, whether it runs or not. `hook` is the job inserted in the same step, `word` the letter
 * that tells its parent; its children are asked to end as well.
 */
export type Cancelling = { to: 'cancelled'; keepMs: Millis; hook?: NewJob; word?: Word }

/** What a job's end says to the job that called it: a letter that is taken in whatever has become of that. */
export type Word = Omit<Mail, 'at'> & { to: JobId }

export type Counter = 'failures' | 'crashes' | 'losses'

export const CRASHES_MAX = 3
export const LOSSES_MAX = 10

/**
 * What a run that ended so is remembered as. One that completed is the job itself; one that was given back
 * before it began, or parked, was none.
 */
export function attemptOf(outcome: Outcome): string | undefined {
  if (outcome.to === 'ready') return outcome.begun ? 'released' : undefined
  if (outcome.to === 'completed' || outcome.to === 'waiting') return undefined
  return 'reason' in outcome ? outcome.reason : outcome.to
}

/** The one place where an attempt's end becomes a job's future. */
export function decide(job: Claimed, report: Report, now: Millis, random?: () => number): Outcome {
  const judged = judge(job, report, now, random)
  const outcome = 'keepMs' in judged || !job.cancelAsked ? judged : cancelling(job, now)
  if (!('keepMs' in outcome)) return outcome
  const reason = outcome.to === 'failed' ? outcome.reason : undefined
  const hooked = withHook(outcome, hookOf(job, outcome.to, reason))
  return job.parent ? { ...hooked, word: wordTo(job.parent, job, outcome) } : hooked
}

/** How a cancel ends a job that does not run. */
export function decideCancel(job: Job, now: Millis): Cancelling {
  const outcome = withHook(cancelling(job, now), hookOfCancel(job))
  return job.parent ? { ...outcome, word: wordTo(job.parent, job, outcome, job.rev) } : outcome
}

function withHook<Ending extends Outcome>(outcome: Ending, hook: NewJob | undefined): Ending {
  return hook === undefined ? outcome : { ...outcome, hook }
}

const cancelling = (job: Claimed | Job, now: Millis): Cancelling => ({
  to: 'cancelled',
  keepMs: keepMsOf(job, 'cancelled', now),
})

function judge(job: Claimed, report: Report, now: Millis, random?: () => number): Outcome {
  const policy = readPolicy(job.policy)
  const fail = (reason: Reason, error: Bytes, raise?: Counter): Outcome => ({
    to: 'failed',
    reason,
    error,
    ...(raise !== undefined && { raise }),
    keepMs: keepMsOf(job, 'failed', now),
  })
  const again = (delayMs: Millis, reason: Reason, error: Bytes, raise: Counter): Outcome =>
    job.deadlineAt !== undefined && now + delayMs >= job.deadlineAt
      ? fail('timeout', error, raise)
      : { to: 'scheduled', delayMs, reason, error, raise }

  switch (report.how) {
    case 'completed': {
      const { result, withErrors, artifacts, more } = report
      const files = artifacts.map((artifact) => artifact.keepMs)
      const keepMs = keepMsOf(job, 'completed', now, files)
      const ended = { to: 'completed', withErrors, artifacts, keepMs } as const
      const drops = dropsOf(job, keepMs)
      return { ...ended, ...(drops && { drops }), ...(result && { result }), ...(more && { more }) }
    }
    case 'cancelled':
      return cancelling(job, now)
    case 'expired':
      return fail('expired', encodeFailure('Expired', 'it did not start in time'))
    case 'released':
      return { to: 'ready', begun: report.begun }
    case 'suspended':
      return suspended(job, report)
    case 'closed': {
      const one = [opened(report.limit, job.fence)]
      return suspended(job, { for: limitWait(report.limit), wakeAt: now + report.ms, one, all: [] })
    }
    case 'unknown':
      return { to: 'waiting', for: 'handler' }
    case 'lost': {
      const error = encodeFailure('Lost', 'its worker stopped renewing its lease')
      if (policy.onLost === 'fail') return fail('lost', error, 'losses')
      return job.losses + 1 >= LOSSES_MAX
        ? fail('crashed', error, 'losses')
        : again(0, 'lost', error, 'losses')
    }
    case 'crashed': {
      const error = encodeFailure('Crashed', `its process died: ${report.why}`)
      const crashes = job.crashes + 1
      if (crashes >= CRASHES_MAX) return fail('crashed', error, 'crashes')
      return again(crashes === 1 ? 0 : 1000, 'crashed', error, 'crashes')
    }
    case 'failed':
      return settleFailure(report, job, policy, fail, again, random)
  }
}

/** No wait is longer than the job may take. */
function suspended(
  { deadlineAt = Infinity }: Claimed,
  { for: what, one, all, wakeAt = Infinity }: Omit<Suspension, 'to'>,
): Suspension {
  const at = Math.min(wakeAt, deadlineAt)
  return { to: 'waiting', for: what, one, all, ...(at < Infinity && { wakeAt: at }) }
}

function settleFailure(
  { reason, error, retry, delayMs }: Extract<Report, { how: 'failed' }>,
  { failures }: Claimed,
  policy: Policy,
  fail: (reason: Reason, error: Bytes, raise: Counter) => Outcome,
  again: (delayMs: Millis, reason: Reason, error: Bytes, raise: Counter) => Outcome,
  random?: () => number,
): Outcome {
  const allowed = retry && (reason !== 'timeout' || policy.retryTimeouts)
  if (!allowed || failures + 1 >= policy.attempts) return fail(reason, error, 'failures')
  return again(delayMs ?? delayAfter(failures, policy.backoff, random), reason, error, 'failures')
}

/** The jobs that an end brings with it, in their order. */
export const broughtBy = (outcome: Outcome): readonly NewJob[] => {
  const hook = 'hook' in outcome ? outcome.hook : undefined
  const more = outcome.to === 'completed' ? outcome.more : undefined
  if (hook === undefined) return more ?? NOTHING
  return more ? [hook, ...more] : [hook]
}
const NOTHING: readonly NewJob[] = []
