import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Place } from './batch.ts'
import type { Reason, State } from './state.ts'

export type JobId = string
export type WorkerId = string
/** A job's rising number: whoever holds the current one may write. */
export type Fence = number

/** A job about to be stored: validated, encoded, with its policy beside it. Spans count from the insert. */
export type NewJob = {
  id: JobId
  job: string
  queue: string
  tenant: string
  priority: number
  input: Bytes
  /** The definition's decisions as they stood; see `policy.ts`. A store carries them unread. */
  policy: Bytes
  delayMs?: Millis
  runAt?: Millis
  /** Must have started within this span after it was due. */
  expiresInMs?: Millis
  /** The whole job, retries and waiting included. */
  deadlineMs?: Millis
  /** Tells a repeat of the same request from another request under the same id. */
  fingerprint?: string
  unique?: Unique
  tags?: readonly string[]
  /** The ended job, or the batch, that this one is a hook of; its row stays for as long as this one lives. */
  subject?: JobId
  /** It leaves by its tenant's turn rather than by when it came. */
  fair?: boolean
  /** At most three keys that bound how many of them run or wait. */
  limits?: readonly Limit[]
  /** Which item of a batch it is; given only to `fillBatch`. */
  place?: Place
  /** The job that called this one, and as what: it is told of the end. */
  parent?: Parent
}

export type Parent = { id: JobId; name: string }

/** So many jobs of a key may run, and so many may wait to be begun. */
export type Limit = { key: string; running?: number; pending?: number }

export type Unique = { value: string; until: 'end' | 'kept'; onConflict: 'join' | 'refuse' }

/** What a worker is handed with a job. */
export type Claimed = {
  id: JobId
  fence: Fence
  job: string
  queue: string
  tenant: string
  failures: number
  crashes: number
  losses: number
  input: Bytes
  policy: Bytes
  createdAt: Millis
  /** When it became ready: waiting time is counted from here. */
  runAt: Millis
  expiresAt?: Millis
  deadlineAt?: Millis
  /** Somebody asked for its cancel: it is not begun any more. */
  cancelAsked?: boolean
  parent?: Parent
  place?: Place
  /** What the job had and left that this one is a hook of; of a batch, its tally. */
  subject?: Subject
  /** What earlier runs recorded. */
  steps?: readonly Step[]
  /** What lies in its mailbox, in the order in which it came. */
  mail?: readonly Mail[]
}

export type Subject = { input: Bytes; result?: Bytes; error?: Bytes }

/** A job as it lies in the store. */
export type Job = Omit<Claimed, 'subject' | 'steps' | 'mail'> & {
  /** The store's own rising order of arrival. Ids are never an age. */
  turn: number
  state: State
  priority: number
  /** Rises with every visible change: ETag and event id. */
  rev: number
  worker?: WorkerId
  startedAt?: Millis
  endedAt?: Millis
  reason?: Reason
  withErrors: boolean
  cancelAsked: boolean
  waitingFor?: string
  limits?: readonly Limit[]
  /** Of a ready job: the key that has no place for it. */
  heldBy?: string
  /** Until when it waits at most. */
  wakesAt?: Millis
  unique?: string
  tags: readonly string[]
  fingerprint?: string
  subject?: JobId
  result?: Bytes
  error?: Bytes
  progress?: Bytes
  artifacts: readonly Artifact[]
}

/** A file a job left behind. Its bytes lie in `files/` under the job's id and this fence. */
export type Artifact = {
  file: string
  fence: Fence
  type: string
  bytes: number
  sha256: string
  expiresAt: Millis
}

/** One run that did not complete. The completed one is the job itself. */
export type Attempt = {
  fence: Fence
  worker: WorkerId
  startedAt: Millis
  endedAt: Millis
  outcome: string
  error?: Bytes
}

/** A named part of a job that was done, whichever run did it. */
export type Step = { name: string; value: Bytes; at: Millis }

/** A message in a job's mailbox. An urgent one wakes a job that waits for all of several. */
export type Mail = { name: string; key: string; at: Millis; value: Bytes; urgent?: boolean }

export type LogLine = { at: Millis; fence: Fence; level: LogLevel; text: string }
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
