import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Bytes } from '../../base/json.ts'
import {
  LOG_LEVELS,
  type Artifact,
  type Attempt,
  type Claimed,
  type Job,
  type LogLine,
  type Mail,
  type Step,
} from '../../job/job.ts'
import { type State, STATES } from '../../job/state.ts'
import { damaged, toReason } from '../parts/damage.ts'
import { readLimits } from '../parts/limits.ts'

export type Row = Record<string, SQLOutputValue>

export const int = (value: SQLOutputValue | undefined): number =>
  typeof value === 'number' ? value : damaged()
export const text = (value: SQLOutputValue | undefined): string =>
  typeof value === 'string' ? value : damaged()
export const bytes = (value: SQLOutputValue | undefined): Bytes =>
  value instanceof Uint8Array ? value : damaged()

export const numberOf = (state: State): number => STATES.indexOf(state)
/** A ready job that is held for want of a place. */
const HELD = -1
export const stateOf = (value: SQLOutputValue | undefined): State =>
  value === HELD ? 'ready' : (STATES[int(value)] ?? damaged())

function toClaimed(row: Row): Omit<Claimed, 'subject'> {
  const claimed: Claimed = {
    id: text(row.id),
    fence: int(row.fence),
    job: text(row.job),
    queue: text(row.queue),
    tenant: text(row.tenant),
    failures: int(row.failures),
    crashes: int(row.crashes),
    losses: int(row.losses),
    input: bytes(row.input),
    policy: bytes(row.policy_bytes),
    createdAt: int(row.created_at),
    runAt: int(row.run_at),
  }
  if (row.expires_at !== null) claimed.expiresAt = int(row.expires_at)
  if (row.deadline_at !== null) claimed.deadlineAt = int(row.deadline_at)
  return claimed
}

/** Rows as arrays, for the walks where an object a row would cost too much. */
export function arrays(statement: StatementSync, ...values: SQLInputValue[]): SQLOutputValue[][] {
  statement.setReturnArrays(true)
  const rows: unknown = statement.all(...values)
  return isArrays(rows) ? rows : damaged()
}

const isArrays = (rows: unknown): rows is SQLOutputValue[][] =>
  Array.isArray(rows) && (rows.length === 0 || Array.isArray(rows[0]))

export function toJob(row: Row, artifacts: readonly Artifact[]): Job {
  return {
    ...toClaimed(row),
    turn: int(row.turn),
    state: stateOf(row.state),
    priority: int(row.priority),
    rev: int(row.rev),
    withErrors: row.with_errors === 1,
    cancelAsked: row.cancel_asked === 1,
    tags: row.tags === null ? [] : JSON.parse(text(row.tags)),
    artifacts,
    ...(row.worker !== null && { worker: text(row.worker) }),
    ...(row.started_at !== null && { startedAt: int(row.started_at) }),
    ...(row.ended_at !== null && { endedAt: int(row.ended_at) }),
    ...(row.reason !== null && { reason: toReason(text(row.reason)) }),
    ...(row.waiting_for !== null && { waitingFor: text(row.waiting_for) }),
    ...(row.parent !== null && { parent: { id: text(row.parent), name: text(row.called) } }),
    ...(row.batch !== null && { place: { batch: text(row.batch), index: int(row.item) } }),
    ...(row.limits !== null && { limits: readLimits(text(row.limits)) }),
    ...(row.state === HELD && { heldBy: text(row.held) }),
    ...(row.wakes_at !== null && { wakesAt: int(row.wakes_at) }),
    ...(row.unique_value !== null && { unique: text(row.unique_value) }),
    ...(row.fingerprint !== null && { fingerprint: text(row.fingerprint) }),
    ...(row.subject !== null && { subject: text(row.subject) }),
    ...(row.result !== null && { result: bytes(row.result) }),
    ...(row.error !== null && { error: bytes(row.error) }),
    ...(row.progress !== null && { progress: bytes(row.progress) }),
  }
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
  ...(row.error !== null && { error: bytes(row.error) }),
})

export const toStep = (row: Row): Step => ({
  name: text(row.name),
  at: int(row.at),
  value: bytes(row.value),
})

export const toMail = (row: Row): Mail => ({
  name: text(row.name),
  key: text(row.key),
  at: int(row.at),
  value: bytes(row.value),
  ...(row.urgent === 1 && { urgent: true }),
})

export const toLine = (row: Row): LogLine & { n: number } => ({
  n: int(row.n),
  at: int(row.at),
  fence: int(row.fence),
  level: LOG_LEVELS.find((level) => level === row.level) ?? 'info',
  text: text(row.text),
})
