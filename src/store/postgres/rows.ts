import type { Bytes } from '../../base/json.ts'
import {
  LOG_LEVELS,
  type Artifact,
  type Attempt,
  type Claimed,
  type Job,
  type JobId,
  type LogLine,
  type Mail,
  type Parent,
  type Step,
} from '../../job/job.ts'
import { type Batch, encodeTally } from '../../job/batch.ts'
import { type State, STATES } from '../../job/state.ts'
import { readLimits } from '../parts/limits.ts'
import { damaged, toReason, toStop } from '../parts/damage.ts'
import type { Tally, WorkerRow } from '../contract.ts'
import { readBlob, readTexts } from './arrays.ts'
import type { Row } from './connection.ts'
import type { Kind } from './kinds.ts'

export const text = (value: string | null | undefined): string => value ?? damaged()
export const int = (value: string | null | undefined): number => Number(text(value))
const yes = (value: string | null | undefined): boolean => value === 't'

export const numberOf = (state: State): number => STATES.indexOf(state)
/** A ready job that is held for want of a place. */
const HELD = '-1'
export const stateOf = (value: string | null | undefined): State =>
  value === HELD ? 'ready' : (STATES[int(value)] ?? damaged())

/** The jobs of an exchange or a sweep; see `line` and `marks` in claim.sql. */
export function toHanded(row: Row, kindOf: (id: string) => Kind): Claimed[] {
  const { jobs = null, inputs = null, marks = null } = row
  if (jobs === null || inputs === null) return []
  const bodies = inputs.split(',')
  const marked: Record<string, Marks> = marks === null ? {} : JSON.parse(marks)
  return jobs.split(',').map((line, i) => {
    const [id, fence, kind, createdAt, runAt, batch, index] = line.split(' ')
    const { name, queue, policy } = kindOf(text(kind))
    const { subject, steps, mail, ...more } = marked[text(id)] ?? {}
    return {
      id: text(id),
      fence: int(fence),
      job: name,
      queue,
      tenant: '',
      failures: 0,
      crashes: 0,
      losses: 0,
      input: Buffer.from(text(bodies[i]), 'hex'),
      policy,
      createdAt: int(createdAt),
      runAt: int(runAt),
      ...(batch !== undefined && { place: { batch, index: int(index) } }),
      ...more,
      ...(subject && { subject: toSubject(subject) }),
      ...(steps && { steps: steps.map(withValue) }),
      ...(mail && { mail: mail.map(withValue) }),
    }
  })
}

/** The kinds that handed jobs are of. */
export const kindsIn = ({ jobs }: Row): string[] =>
  jobs ? jobs.split(',').map((line) => text(line.split(' ')[2])) : []

type Marks = {
  tenant?: string
  failures?: number
  crashes?: number
  losses?: number
  expiresAt?: number
  deadlineAt?: number
  cancelAsked?: boolean
  parent?: Parent
  subject?: {
    batch?: Record<string, string | number | null>
    input: string
    result?: string
    error?: string
  }
  steps?: { name: string; at: number; value: string }[]
  mail?: { name: string; key: string; at: number; value: string; urgent?: boolean }[]
}

const withValue = <One extends { value: string }>(one: One) => ({
  ...one,
  value: readBlob(one.value),
})

const toSubject = ({ batch, input, result, error }: NonNullable<Marks['subject']>) => ({
  input: batch ? encodeTally(toBatch(asRow(batch))) : readBlob(input),
  ...(result !== undefined && { result: readBlob(result) }),
  ...(error !== undefined && { error: readBlob(error) }),
})

export function toJob(row: Row, artifacts: readonly Artifact[]): Job {
  return {
    id: text(row.id),
    fence: int(row.fence),
    job: text(row.name),
    queue: text(row.queue),
    tenant: text(row.tenant),
    failures: int(row.failures),
    crashes: int(row.crashes),
    losses: int(row.losses),
    input: readBlob(text(row.input)),
    policy: readBlob(text(row.policy)),
    createdAt: int(row.created_at),
    runAt: int(row.run_at),
    turn: int(row.turn),
    state: stateOf(row.state),
    priority: int(row.priority),
    rev: int(row.rev),
    withErrors: yes(row.with_errors),
    cancelAsked: yes(row.cancel_asked),
    tags: row.tags ? JSON.parse(row.tags) : [],
    artifacts,
    ...given('expiresAt', row.expires_at, int),
    ...given('deadlineAt', row.deadline_at, int),
    ...given('worker', row.worker, text),
    ...given('startedAt', row.started_at, int),
    ...given('endedAt', row.ended_at, int),
    ...given('reason', row.reason, toReason),
    ...given('waitingFor', row.waiting_for, text),
    ...(row.parent && { parent: { id: row.parent, name: text(row.called) } }),
    ...(row.batch && { place: { batch: row.batch, index: int(row.item) } }),
    ...(row.limits && { limits: readLimits(row.limits) }),
    ...(row.state === HELD && { heldBy: text(row.held) }),
    ...given('wakesAt', row.wakes_at, int),
    ...given('unique', row.unique_value, text),
    ...given('fingerprint', row.fingerprint, text),
    ...given('subject', row.subject, text),
    ...given('result', row.result, readBlob),
    ...given('error', row.error, readBlob),
    ...given('progress', row.progress, readBlob),
  }
}

/** A field that is left out when the column is null. */
function given<Name extends string, Value>(
  name: Name,
  value: string | null | undefined,
  read: (value: string) => Value,
): { [N in Name]?: Value } {
  const field: { [N in Name]?: Value } = {}
  if (value !== null && value !== undefined) field[name] = read(value)
  return field
}

export const toArtifact = (row: Row): Artifact => ({
  file: text(row.file),
  fence: int(row.fence),
  type: text(row.type),
  bytes: int(row.bytes),
  sha256: text(row.sha256),
  expiresAt: int(row.expires_at),
})

export const toAttempt = (row: Row): Attempt => ({
  fence: int(row.fence),
  worker: text(row.worker),
  startedAt: int(row.started_at),
  endedAt: int(row.ended_at),
  outcome: text(row.outcome),
  ...given('error', row.error, readBlob),
})

export const toLine = (row: Row): LogLine & { n: number } => ({
  n: int(row.n),
  at: int(row.at),
  fence: int(row.fence),
  level: LOG_LEVELS.find((level) => level === row.level) ?? 'info',
  text: text(row.text),
})

export const toMail = (row: Row): Mail => ({
  name: text(row.name),
  key: text(row.key),
  at: int(row.at),
  value: readBlob(text(row.value)),
  ...(yes(row.urgent) && { urgent: true }),
})

export const toStep = (row: Row): Step => ({
  name: text(row.name),
  at: int(row.at),
  value: readBlob(text(row.value)),
})

/** What stands in JSON as the row that it was. */
const asRow = (json: Record<string, string | number | null>): Row =>
  Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, value === null ? null : `${value}`]),
  )

export const toBatch = (row: Row): Batch => ({
  id: text(row.id),
  job: text(row.job),
  tenant: text(row.tenant),
  keepMs: int(row.keep_ms),
  createdAt: int(row.created_at),
  filledAt: int(row.filled_at),
  items: int(row.items),
  completed: int(row.completed),
  withErrors: int(row.with_errors),
  failed: int(row.failed),
  cancelled: int(row.cancelled),
  erased: int(row.erased),
  endings: int(row.endings),
  ...given('closedAt', row.closed_at, int),
  ...given('endedAt', row.ended_at, int),
  ...given('stopped', row.stopped, toStop),
  ...given('failedMax', row.failed_max, int),
  ...given('fingerprint', row.fingerprint, text),
})

export const toTally = (row: Row): Tally => ({
  queue: text(row.queue),
  accepted: int(row.accepted),
  erased: int(row.erased),
  scheduled: int(row.scheduled),
  ready: int(row.ready),
  running: int(row.running),
  waiting: int(row.waiting),
  completed: int(row.completed),
  failed: int(row.failed),
  cancelled: int(row.cancelled),
  ...given('oldestReadyAt', row.oldest, int),
})

export const toWorker = (row: Row): WorkerRow => ({
  id: text(row.id),
  info: readBlob(text(row.info)),
  registeredAt: int(row.registered_at),
  leaseUntil: int(row.lease_until),
  alive: yes(row.alive),
  running: int(row.running),
})

export const toBytes = (value: string | null | undefined): Bytes => readBlob(text(value))
export const toIds = (value: string | null | undefined): JobId[] => readTexts(text(value))
