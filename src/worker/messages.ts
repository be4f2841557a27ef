import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Fence, JobId } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import type { Note } from '../store/contract.ts'
import type { Abort, Limits, Task } from './crew.ts'
import type { Frame } from './frames.ts'

type Slim = Omit<Task, 'input' | 'subject'>

/** What a foreman says to an executor. */
export type Order =
  | { say: 'run'; job: Slim; softMs: Millis; attemptsMax: number }
  | { say: 'abort'; id: JobId; fence: Fence; why: Abort }
  /** Give back what has not begun. */
  | { say: 'recall' }
  /** Call the app's `stop` and end. */
  | { say: 'stop' }

/** What an executor says to its foreman. */
export type Word =
  | { say: 'manifest'; jobs: readonly string[] }
  | { say: 'report'; id: JobId; fence: Fence; ranMs: number; report: Report }
  | { say: 'note'; id: JobId; fence: Fence; log?: Note['log'] | undefined }
  | { say: 'memory'; mb: number }
  /** It should be replaced once its jobs have ended. */
  | { say: 'worn' }
  /** The app could not be loaded or started. */
  | { say: 'broken'; text: string }

export function runFrame(
  { id, fence, job, tenant, failures, input, subject }: Task,
  { softMs, attemptsMax }: Limits,
): Frame<Order> {
  const bytes = [input]
  // Absent and empty are one here: no JSON text is empty.
  if (subject) bytes.push(subject.input, subject.result ?? EMPTY, subject.error ?? EMPTY)
  const slim = { id, fence, job, tenant, failures }
  return { message: { say: 'run', job: slim, softMs, attemptsMax }, bytes }
}

export function readRun(job: Slim, [input = EMPTY, ...subject]: readonly Bytes[]): Task {
  if (subject.length === 0) return { ...job, input }
  const [of = EMPTY, result = EMPTY, error = EMPTY] = subject
  return {
    ...job,
    input,
    subject: {
      input: of,
      ...(result.length > 0 && { result }),
      ...(error.length > 0 && { error }),
    },
  }
}

/** Results and errors travel as bytes beside the report, never inside its JSON. */
export function reportFrame({ id, fence }: Task, report: Report, ranMs: number): Frame<Word> {
  if (report.how === 'failed')
    return {
      message: { say: 'report', id, fence, ranMs, report: { ...report, error: EMPTY } },
      bytes: [report.error],
    }
  if (report.how !== 'completed' || report.result === undefined)
    return { message: { say: 'report', id, fence, ranMs, report }, bytes: [] }
  const { result, ...rest } = report
  return { message: { say: 'report', id, fence, ranMs, report: rest }, bytes: [result] }
}

export function readReport(report: Report, [bytes]: readonly Bytes[]): Report {
  if (report.how === 'failed') return { ...report, error: bytes ?? EMPTY }
  return report.how === 'completed' && bytes ? { ...report, result: bytes } : report
}

export function noteFrame({ id, fence, log, progress }: Note): Frame<Word> {
  return {
    message: { say: 'note', id, fence, ...(log && { log }) },
    bytes: progress ? [progress] : [],
  }
}

export function readNote(
  { id, fence, log }: Extract<Word, { say: 'note' }>,
  [progress]: readonly Bytes[],
): Note {
  return { id, fence, ...(log && { log }), ...(progress && { progress }) }
}

const EMPTY = new Uint8Array()
