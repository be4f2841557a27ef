import type { Millis } from '../base/time.ts'
import { type Batch, endJobOf, isOver, type NewBatch } from './batch.ts'
import type { Attempt, Job, JobId, LogLine, Mail, NewJob, Step, Unique } from './job.ts'
import { type Drops, dropsOf, keepMsOf } from './keep.ts'
import { attemptOf, decide, type Outcome, type Suspension, type Word } from './outcome.ts'
import { type Ended, isEnded, type State } from './state.ts'

/** A job whole, with all it left: what is taken from one store to another. */
export type JobCopy = Omit<Job, 'turn' | 'unique'> & {
  unique?: Pick<Unique, 'value' | 'until'>
  attempts: readonly Attempt[]
  log: readonly LogLine[]
  steps: readonly Step[]
  mail: readonly Mail[]
  /** Names of letters that it waits for: for one of them, and for all of those. */
  awaits?: Pick<Suspension, 'one' | 'all'>
}

/** One that may be stored as it stands: whoever ran it runs it no more. */
export type Adoptee = Omit<JobCopy, 'state' | 'heldBy'> & {
  state: Exclude<State, 'running'>
  /** Until when its record stays, where it has ended. */
  keptUntil?: Millis
  /** When its input or its result goes that is to go before. */
  drops?: Drops
}

/** The id under which a request came that joined a job, so that a repeat of it finds the same. */
export type Alias = { id: JobId; job: JobId; fingerprint: string; until: Millis }

/** A batch whole, with the job at its end. */
export type BatchCopy = Batch & Pick<NewBatch, 'end'>

/**
 * What becomes of a job that leaves a store in which nobody works. One that runs is lost with its worker,
 * and decided as a sweep would have it decided: ready again, or ended, then with its hook. Nothing of that
 * is drawn or taken from the clock but moments, so that another copy of it is the same job.
 */
export function toAdoptees({ heldBy: _, ...copy }: JobCopy, now: Millis): Adoptee[] {
  // Whether there is a place for it is for the other store to say.
  const { state } = copy
  if (state === 'running') return lose(copy, now)
  if (!isEnded(state)) return [{ ...copy, state }]
  const { endedAt = now, artifacts } = copy
  const files = artifacts.map(({ expiresAt }) => expiresAt - endedAt)
  const keepMs = keepMsOf(copy, state, endedAt, files)
  const drops = state === 'completed' ? dropsOf(copy, keepMs) : undefined
  return [
    {
      ...copy,
      state,
      keptUntil: endedAt + keepMs,
      ...(drops && { drops: momentsOf(drops, endedAt) }),
    },
  ]
}

/** What a job that runs while it leaves says of its end to the one that called it, if a loss is its end. */
export function wordOf(copy: JobCopy, now: Millis): Word | undefined {
  const outcome = copy.state === 'running' ? lossOf(copy, now) : undefined
  return outcome && 'word' in outcome ? outcome.word : undefined
}

const lossOf = ({ subject: _, ...claimed }: JobCopy, now: Millis): Outcome =>
  decide(claimed, { how: 'lost' }, now)

const momentsOf = ({ input, result }: Drops, endedAt: Millis): Drops => ({
  ...(input !== undefined && { input: endedAt + input }),
  ...(result !== undefined && { result: endedAt + result }),
})

function lose(copy: JobCopy, now: Millis): Adoptee[] {
  const outcome = lossOf(copy, now)
  const attempts = [...copy.attempts, runOf(copy, outcome, now)]
  const { error: _error, reason: _reason, ...rest } = copy
  const after = {
    ...rest,
    ...('error' in outcome && { error: outcome.error }),
    losses: copy.losses + ('raise' in outcome && outcome.raise === 'losses' ? 1 : 0),
    rev: copy.rev + 1,
    attempts,
  }
  if (!('keepMs' in outcome)) return [{ ...after, state: 'ready', runAt: now }]
  const ended: Adoptee = {
    ...after,
    state: outcome.to,
    endedAt: now,
    keptUntil: now + outcome.keepMs,
    ...('reason' in outcome && { reason: outcome.reason }),
  }
  if (!outcome.hook) return [ended]
  // Another copy must find it to be the same job: the run that was lost is all that both know of.
  return [ended, { ...freshly(outcome.hook, now), createdAt: copy.startedAt ?? copy.createdAt }]
}

/** What became of items whose runs were lost: their batches, which come after all jobs, are told of it. */
export class Losses {
  readonly #ended = new Map<JobId, Ended[]>()

  /** Notes of a job that left what became of it. */
  noted(copy: JobCopy, left: readonly Adoptee[]): readonly Adoptee[] {
    const { place, state: was } = copy
    const state = left[0]?.state
    if (!place || was !== 'running' || state === undefined || !isEnded(state)) return left
    const of = this.#ended.get(place.batch)
    if (of) of.push(state)
    else this.#ended.set(place.batch, [state])
    return left
  }

  /** A batch that counts them; where they were its last, with the job at its end. */
  toldTo(copy: BatchCopy, now: Millis): { batch: BatchCopy; last?: Adoptee } {
    return withLost(copy, this.#ended.get(copy.id) ?? [], now)
  }
}

function withLost(
  copy: BatchCopy,
  lost: readonly Ended[],
  now: Millis,
): { batch: BatchCopy; last?: Adoptee } {
  const batch = { ...copy }
  for (const state of lost) batch[state]++
  if (lost.includes('failed') && batch.failed > (batch.failedMax ?? Infinity)) {
    batch.stopped ??= 'failures'
    batch.closedAt ??= now
  }
  if (batch.endedAt !== undefined || batch.closedAt === undefined || !isOver(batch))
    return { batch }
  batch.endedAt = now
  batch.endings++
  if (!batch.end) return { batch }
  // As with a hook: another copy must find it to be the same job.
  const last = freshly(endJobOf(batch.end, batch.endings), now)
  return { batch, last: { ...last, createdAt: batch.createdAt } }
}

/** The run that nobody settled, under its own fence: no other had been given. */
const runOf = (
  { fence, worker = NOBODY, startedAt = 0 }: JobCopy,
  outcome: Outcome,
  now: Millis,
): Attempt => ({
  fence,
  worker,
  startedAt,
  endedAt: now,
  outcome: attemptOf(outcome) ?? 'released',
  ...('error' in outcome && { error: outcome.error }),
})

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** A hook as its insert would have left it. */
const freshly = (hook: NewJob, now: Millis): Adoptee => ({
  id: hook.id,
  job: hook.job,
  queue: hook.queue,
  tenant: hook.tenant,
  priority: hook.priority,
  input: hook.input,
  policy: hook.policy,
  ...(hook.subject !== undefined && { subject: hook.subject }),
  ...(hook.limits && { limits: hook.limits }),
  state: 'ready',
  rev: 1,
  fence: 0,
  failures: 0,
  crashes: 0,
  losses: 0,
  createdAt: now,
  runAt: now,
  withErrors: false,
  cancelAsked: false,
  tags: [],
  artifacts: [],
  attempts: [],
  log: [],
  steps: [],
  mail: [],
})
