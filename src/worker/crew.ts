import type { Millis } from '../base/time.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import type { Note } from '../store/contract.ts'

/** Why a running handler is told to stop. */
export type Abort = 'cancelled' | 'released'

/** What a crew tells its foreman. */
export type Ear = {
  report(job: Claimed, report: Report, ranMs: Millis): void
  note(note: Note): void
  /** There is room again. */
  ring(): void
}

/** Those who run handlers for a foreman: processes of their own, or this one. */
export interface Crew extends AsyncDisposable {
  /** The names of the jobs it has handlers for. */
  readonly manifest: readonly string[]
  /** How many handlers run at once. */
  readonly concurrency: number
  /** How many processes run them; 0 when this one does. */
  readonly processes: number
  /** Told once, before the first job. */
  listen(ear: Ear): void
  /** Whether there is anybody to take a job just now. */
  readonly isOpen: boolean
  /**
   * Takes a job; its end comes as a report. May be more than run at once: the rest waits its turn.
   * After `softMs` of running its abort signal fires.
   */
  begin(job: Claimed, softMs: Millis): void
  /** Fires the abort signal of a running handler. */
  abort(id: JobId, fence: Fence, why: Abort): void
  /** Reports every job that has not begun as released. */
  recall(): void
  /** Stops whatever still runs, by force where it can, and reports it as released. */
  abandon(): void
}
