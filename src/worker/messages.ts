import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Fence, JobId, Mail, NewJob, Step, Subject } from '../job/job.ts'
import type { Take } from '../job/rate.ts'
import type { Report } from '../job/outcome.ts'
import type { Planned } from '../job/schedule.ts'
import type { Answer, Note } from '../store/contract.ts'
import type { Abort, ExecutorState, Limits, Task } from './crew.ts'
import type { Frame } from './frames.ts'

type Slim = Omit<Task, 'input' | 'subject' | 'steps' | 'mail'> & {
  /** Of each, all but its value, which comes among the bytes. */
  steps?: readonly Omit<Step, 'value'>[]
  mail?: readonly Omit<Mail, 'value'>[]
  isHook?: true
}

/** A job that is called or left behind: its input and its policy come among the bytes. */
type SlimChild = Omit<NewJob, 'input' | 'policy'>

/** What a foreman says to an executor. */
export type Order =
  | { say: 'run'; job: Slim; softMs: Millis; attemptsMax: number }
  /** What time it was in the store when the jobs that follow were handed over. */
  | { say: 'time'; now: Millis }
  | { say: 'abort'; id: JobId; fence: Fence; why: Abort }
  /** What became of a step. */
  | { say: 'noted'; id: JobId; fence: Fence; step: string; answer: Answer }
  /** Calls under a limit that it asked for may be made. */
  | { say: 'passed'; id: JobId; fence: Fence; ask: number; since: Millis }
  /** Give back what has not begun. */
  | { say: 'recall' }
  /** Call the app's `stop` and end. */
  | { say: 'stop' }

/** What an executor says to its foreman. */
export type Word =
  | {
      say: 'manifest'
      jobs: readonly string[]
      planned?: Planned | undefined
      appSettings?: string | undefined
    }
  | {
      say: 'report'
      id: JobId
      fence: Fence
      ranMs: number
      report: Report
      more?: readonly SlimChild[]
    }
  | {
      say: 'note'
      id: JobId
      fence: Fence
      log?: Note['log'] | undefined
      step?: string
      child?: SlimChild
    }
  | { say: 'take'; id: JobId; fence: Fence; ask: number; take: Take }
  /** Since it said so last: by how much its event loop was late at worst, how many cores it kept busy. */
  | { say: 'state'; state: ExecutorState }
  /** It should be replaced once its jobs have ended. */
  | { say: 'worn' }
  /** The app could not be loaded or started. */
  | { say: 'broken'; text: string }

export function runFrame(
  { id, fence, job, tenant, failures, input, subject, steps, mail }: Task,
  { softMs, attemptsMax }: Limits,
): Frame<Order> {
  const bytes = [input]
  // Absent and empty are one here: no JSON text is empty.
  if (subject) bytes.push(subject.input, subject.result ?? EMPTY, subject.error ?? EMPTY)
  if (steps) bytes.push(...steps.map(({ value }) => value))
  if (mail) bytes.push(...mail.map(({ value }) => value))
  const slim: Slim = {
    id,
    fence,
    job,
    tenant,
    failures,
    ...(subject && { isHook: true }),
    ...(steps && { steps: steps.map(({ value: _, ...step }) => step) }),
    ...(mail && { mail: mail.map(({ value: _, ...letter }) => letter) }),
  }
  return { message: { say: 'run', job: slim, softMs, attemptsMax }, bytes }
}

export function readRun({ isHook, steps, mail, ...job }: Slim, bytes: readonly Bytes[]): Task {
  const [input = EMPTY, ...more] = bytes
  const task: Task = { ...job, input }
  if (isHook) task.subject = readSubject(more.splice(0, 3))
  if (steps) task.steps = withValues(steps, more)
  if (mail) task.mail = withValues(mail, more)
  return task
}

/** Each with the next of these values. */
const withValues = <One>(ones: readonly One[], values: Bytes[]) =>
  ones.map((one) => ({ ...one, value: values.shift() ?? EMPTY }))

const readSubject = ([
  input = EMPTY,
  result = EMPTY,
  error = EMPTY,
]: readonly Bytes[]): Subject => ({
  input,
  ...(result.length > 0 && { result }),
  ...(error.length > 0 && { error }),
})

/** Results and errors travel as bytes beside the report, never inside its JSON. */
export function reportFrame({ id, fence }: Task, report: Report, ranMs: number): Frame<Word> {
  if (report.how === 'failed')
    return {
      message: { say: 'report', id, fence, ranMs, report: { ...report, error: EMPTY } },
      bytes: [report.error],
    }
  if (report.how !== 'completed')
    return { message: { say: 'report', id, fence, ranMs, report }, bytes: [] }
  const { result, more, ...rest } = report
  const message = { say: 'report', id, fence, ranMs, report: rest } as const
  if (more === undefined) return { message, bytes: result ? [result] : [] }
  const bytes = [result ?? EMPTY, ...more.flatMap(({ input, policy }) => [input, policy])]
  return {
    message: { ...message, more: more.map(({ input: _, policy: __, ...job }) => job) },
    bytes,
  }
}

export function readReport(
  { report, more }: Pick<Extract<Word, { say: 'report' }>, 'report' | 'more'>,
  [bytes, ...rest]: readonly Bytes[],
): Report {
  if (report.how === 'failed') return { ...report, error: bytes ?? EMPTY }
  if (report.how !== 'completed' || bytes === undefined) return report
  // Beside other bytes an empty result is none: no JSON text is empty.
  const completed = more && bytes.length === 0 ? report : { ...report, result: bytes }
  const whole = (job: SlimChild, i: number): NewJob => ({
    ...job,
    input: rest[2 * i] ?? EMPTY,
    policy: rest[2 * i + 1] ?? EMPTY,
  })
  return more ? { ...completed, more: more.map(whole) } : completed
}

export function noteFrame({ id, fence, log, progress, step, child }: Note): Frame<Word> {
  const said = { say: 'note', id, fence, ...(log && { log }) } as const
  if (step && child) {
    const { input, policy, ...slim } = child
    const message = { ...said, step: step.name, child: slim }
    return { message, bytes: [step.value, input, policy] }
  }
  if (step) return { message: { ...said, step: step.name }, bytes: [step.value] }
  return { message: said, bytes: progress ? [progress] : [] }
}

export function readNote(
  { id, fence, log, step: name, child }: Extract<Word, { say: 'note' }>,
  [bytes, input = EMPTY, policy = EMPTY]: readonly Bytes[],
): Note {
  const note = { id, fence, ...(log && { log }) }
  if (name !== undefined) {
    const noted = { ...note, step: { name, value: bytes ?? EMPTY } }
    return child ? { ...noted, child: { ...child, input, policy } } : noted
  }
  return { ...note, ...(bytes && { progress: bytes }) }
}

const EMPTY = new Uint8Array()
