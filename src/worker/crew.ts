import type { Millis } from '../base/time.ts'
import { encodeFailure } from '../job/failure.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Take } from '../job/rate.ts'
import type { Report } from '../job/outcome.ts'
import type { Vitals } from '../job/vitals.ts'
import type { Answer, Note } from '../store/contract.ts'

/** Why a running handler is told to stop. */
export type Abort = 'cancelled' | 'released'

/** What running a job takes of it. */
export type Task = Pick<
  Claimed,
  'id' | 'fence' | 'job' | 'tenant' | 'failures' | 'input' | 'subject' | 'steps' | 'mail'
>

/**
 * What an attempt may take: after `softMs` of running its abort signal fires, after `hardMs` it is stopped by
 * force; how many attempts there may be; and what time it was in the store when it was handed over.
 */
export type Limits = { softMs: Millis; hardMs: Millis; attemptsMax: number; now: Millis }

/** A job fetched ahead that has waited this long for its turn is given back. */
export const STALL_MS = 100

/** How often an executor says how it is. */
export const STATE_EVERY_MS = 2000
export type ExecutorState = Omit<Vitals, 'overloaded'>

/** A job, and under which fence it is run. */
export type Holder = Pick<Task, 'id' | 'fence'>

/** What a crew tells its foreman. */
export type Ear<Job extends Task = Claimed> = {
  report(job: Job, report: Report, ranMs: Millis): void
  note(note: Note): void
  /** A handler asks for calls under a limit, under a number of its own; told when they pass. */
  take(holder: Holder, ask: number, take: Take): void
  /** There is room again. */
  ring(): void
  /** A run was cut off: files it wrote are nobody's. */
  cutOff(job: Job): void
}

export const DEAF: Ear<Task> = {
  report: () => undefined,
  note: () => undefined,
  take: () => undefined,
  ring: () => undefined,
  cutOff: () => undefined,
}

/** Those who run handlers for a foreman: processes of their own, or this one. */
export interface Crew<Job extends Task = Claimed> extends AsyncDisposable {
  /** The names of the jobs it has handlers for. */
  readonly manifest: readonly string[]
  /** How many handlers run at once. */
  readonly concurrency: number
  /** How many processes run them; 0 when this one does. */
  readonly processes: number
  /** How many can run just now: fewer while one of its processes is being replaced, or cannot keep up. */
  readonly places: number
  /** How its processes are. In those that cannot keep up jobs would wait although they have places. */
  readonly vitals: Vitals
  /** Told once, before the first job. */
  listen(ear: Ear<Job>): void
  /**
   * Takes a job; its end comes as a report. May be more than run at once: the rest waits its turn, and
   * is reported as released when that takes long.
   */
  begin(job: Job, limits: Limits): void
  /** Fires the abort signal of a running handler. One that has not begun is reported at once. */
  abort(id: JobId, fence: Fence, why: Abort): void
  /** Stops a handler by force where it can, and reports this of it; who shared its process is released. */
  stop(id: JobId, fence: Fence, report: Report): void
  /** The lease is good for this long: processes that hear nothing more end by themselves after it. */
  live(ms: Millis): void
  /** Tells a handler what became of a step that it noted. */
  noted(id: JobId, fence: Fence, step: string, answer: Answer): void
  /** Tells a handler that what it asked for under this number passed, as the store was asked at this moment of the machine. */
  passed(holder: Holder, ask: number, since: Millis): void
  /** Reports every job that has not begun as released. */
  recall(): void
  /** Stops whatever still runs, by force where it can, and reports it as released. */
  abandon(): void
}

/** What becomes of a job that is told to stop before it has begun. */
export const unbegun = (why: Abort): Report =>
  why === 'cancelled' ? { how: why } : { how: why, begun: false }

export const hardTimeout = (): Report => ({
  how: 'failed',
  reason: 'timeout',
  error: encodeFailure(
    'TimeoutError',
    'the hard time limit was reached, and it was stopped by force',
  ),
  retry: true,
})
