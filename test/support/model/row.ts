import type { Bytes } from '../../../src/base/json.ts'
import type { Millis } from '../../../src/base/time.ts'
import type {
  Artifact,
  Attempt,
  Fence,
  Mail,
  NewJob,
  Step,
  WorkerId,
} from '../../../src/job/job.ts'
import { isEnded, type Reason, type State } from '../../../src/job/state.ts'

/** A job as the contract speaks of it: what was given, and all that may change. */
export type Row = {
  readonly given: NewJob
  readonly turn: number
  readonly createdAt: Millis
  state: State
  rev: number
  fence: Fence
  runAt: Millis
  input: Bytes
  expiresAt: Millis | undefined
  deadlineAt: Millis | undefined
  failures: number
  crashes: number
  losses: number
  cancelAsked: boolean
  worker: WorkerId | undefined
  startedAt: Millis | undefined
  waitingFor: string | undefined
  wakesAt: Millis | undefined
  progress: Bytes | undefined
  endedAt: Millis | undefined
  reason: Reason | undefined
  withErrors: boolean
  result: Bytes | undefined
  error: Bytes | undefined
  artifacts: readonly Artifact[]
  readonly attempts: Attempt[]
  steps: Step[]
  mail: Mail[]
  /** Names of letters that it waits for, and whether all of those are needed. */
  awaits: Map<string, boolean>
  /** Whether it has a place of each of its keys; which of them holds it where it has not. */
  hasPlace: boolean
  heldBy: string | undefined
  /** Whether the unique value is its own by now. */
  holds: boolean
  /** What its last ending said: until then it is kept. */
  keptUntil: Millis
  /** Whether a hook ever looked back on it. */
  hooked: boolean
}

export const fresh = (given: NewJob, turn: number, now: Millis): Row => {
  const { delayMs = 0, expiresInMs, deadlineMs } = given
  const runAt = Math.max(given.runAt ?? now + delayMs, now)
  return {
    given,
    turn,
    createdAt: now,
    state: runAt > now ? 'scheduled' : 'ready',
    rev: 1,
    fence: 0,
    runAt,
    input: given.input,
    expiresAt: expiresInMs === undefined ? undefined : runAt + expiresInMs,
    deadlineAt: deadlineMs === undefined ? undefined : now + deadlineMs,
    failures: 0,
    crashes: 0,
    losses: 0,
    cancelAsked: false,
    worker: undefined,
    startedAt: undefined,
    waitingFor: undefined,
    wakesAt: undefined,
    progress: undefined,
    endedAt: undefined,
    reason: undefined,
    withErrors: false,
    result: undefined,
    error: undefined,
    artifacts: [],
    attempts: [],
    steps: [],
    mail: [],
    awaits: new Map(),
    hasPlace: false,
    heldBy: undefined,
    holds: given.unique !== undefined,
    keptUntil: 0,
    hooked: false,
  }
}

/** Of a row, or of a batch its tally. */
export type Subject = { input: Bytes; result?: Bytes | undefined; error?: Bytes | undefined }

export const lives = ({ state }: Row): boolean => !isEnded(state)

/** What `find` shows of it; a field that is undefined here is absent there. */
export function seen({
  given,
  attempts: _,
  steps: _steps,
  mail: _mail,
  awaits: _awaits,
  hasPlace: _hasPlace,
  holds: _holds,
  keptUntil: _kept,
  hooked: _hooked,
  ...row
}: Row) {
  const {
    id,
    job,
    queue,
    tenant,
    priority,
    policy,
    unique,
    tags = [],
    fingerprint,
    subject,
    place,
    limits,
  } = given
  return {
    ...row,
    id,
    job,
    queue,
    tenant,
    priority,
    policy,
    tags,
    fingerprint,
    subject,
    place,
    limits,
    unique: unique?.value,
  }
}

/** What a worker is handed with it. `subject` is what it looks back on, if that is there. */
export function handed(row: Row, subject: Subject | undefined) {
  const { given, fence, failures, crashes, losses, input, createdAt, runAt } = row
  const { id, job, queue, tenant, policy } = given
  const left = subject
    ? { input: subject.input, result: subject.result, error: subject.error }
    : { input: new Uint8Array() }
  return {
    id,
    fence,
    job,
    queue,
    tenant,
    failures,
    crashes,
    losses,
    input,
    policy,
    createdAt,
    runAt,
    expiresAt: row.expiresAt,
    deadlineAt: row.deadlineAt,
    cancelAsked: row.cancelAsked || undefined,
    place: given.place,
    subject: given.subject === undefined ? undefined : left,
    steps: row.steps.length > 0 ? [...row.steps] : undefined,
    mail: row.mail.length > 0 ? [...row.mail] : undefined,
  }
}
