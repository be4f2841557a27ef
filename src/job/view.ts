import { type Bytes, readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Progress } from './context.ts'
import { type Failure, readFailure } from './failure.ts'
import type { Artifact, Job } from './job.ts'
import { droppedOf } from './keep.ts'
import { readPolicy } from './policy.ts'
import { isEnded, type Reason, type State } from './state.ts'

/** A job as people see it. Times are ISO 8601; what is absent is left out. */
export type JobView = {
  id: string
  job: string
  queue: string
  tenant?: string
  state: State
  priority: number
  attempt: number
  attemptsMax: number
  progress?: Progress
  withErrors?: boolean
  /** What it carries rests sealed; what cannot be opened here is left out. */
  sealed?: boolean
  cancelAsked?: boolean
  reason?: Reason
  error?: Omit<Failure, 'stack'>
  result?: unknown
  /** What it had and left that was kept for a time which is over. */
  dropped?: readonly ('input' | 'result')[]
  artifacts?: ArtifactView[]
  unique?: string
  tags?: readonly string[]
  waitingFor?: string
  /** Of a ready job: the key of a limit that has no place for it. */
  heldBy?: string
  wakesAt?: string
  /** The batch that it is an item of, and its place, counted from 0. */
  batch?: string
  index?: number
  /** The job that called this one. */
  parent?: string
  /** The ended job, or the batch, that this one is a hook of. */
  subject?: string
  createdAt: string
  runAt: string
  startedAt?: string
  endedAt?: string
  rev: number
}

export type ArtifactView = {
  file: string
  type: string
  bytes: number
  sha256: string
  expiresAt: string
}

export const iso = (ms: Millis): string => new Date(ms).toISOString()

/** What is absent, or cannot be read, is left out rather than null. */
export function toView(job: Job): JobView {
  const { attempts, data } = readPolicy(job.policy)
  const progress = job.progress && readOwn<Progress | undefined>(job.progress, undefined)
  const result = job.result && readValue(job.result)
  const dropped = droppedOf(job, Date.now())
  const begun = job.state === 'failed' ? job.failures : job.failures + 1
  return {
    id: job.id,
    job: job.job,
    queue: job.queue,
    ...(job.tenant !== '' && { tenant: job.tenant }),
    state: job.state,
    priority: job.priority,
    attempt: Math.max(1, Math.min(begun, attempts)),
    attemptsMax: attempts,
    ...(progress && { progress }),
    ...(job.withErrors && { withErrors: true }),
    ...(data === 'sealed' && { sealed: true }),
    ...(job.cancelAsked && !isEnded(job.state) && { cancelAsked: true }),
    ...(job.reason && { reason: job.reason }),
    ...(job.error && { error: publicFailure(job.error) }),
    ...(result !== undefined && { result }),
    ...(dropped.length > 0 && { dropped }),
    ...(job.artifacts.length > 0 && { artifacts: job.artifacts.map(toArtifactView) }),
    ...(job.unique !== undefined && { unique: job.unique }),
    ...(job.tags.length > 0 && { tags: job.tags }),
    ...(job.waitingFor !== undefined && { waitingFor: job.waitingFor }),
    ...(job.heldBy !== undefined && { heldBy: job.heldBy }),
    ...(job.wakesAt !== undefined && { wakesAt: iso(job.wakesAt) }),
    ...(job.place && { batch: job.place.batch, index: job.place.index }),
    ...(job.parent && { parent: job.parent.id }),
    ...(job.subject !== undefined && { subject: job.subject }),
    createdAt: iso(job.createdAt),
    runAt: iso(readyAt(job)),
    ...(job.startedAt !== undefined && { startedAt: iso(job.startedAt) }),
    ...(job.endedAt !== undefined && { endedAt: iso(job.endedAt) }),
    rev: job.rev,
  }
}

/** One that leaves by its tenant's turn has a moment that only orders. */
const readyAt = ({ state, runAt, createdAt }: Job): Millis =>
  state === 'ready' && runAt > Date.now() ? createdAt : runAt

const toArtifactView = ({ file, type, bytes, sha256, expiresAt }: Artifact): ArtifactView => ({
  file,
  type,
  bytes,
  sha256,
  expiresAt: iso(expiresAt),
})

export function publicFailure(bytes: Bytes): Omit<Failure, 'stack'> {
  const { stack: _, ...failure } = readFailure(bytes)
  return failure
}

export const readValue = (bytes: Bytes): unknown => readOwn<unknown>(bytes, undefined)
