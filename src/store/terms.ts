import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Batch, NewBatch, Stop } from '../job/batch.ts'
import type {
  Claimed,
  Fence,
  Job,
  JobId,
  LogLine,
  Mail,
  NewJob,
  Step,
  WorkerId,
} from '../job/job.ts'
import type { Alias, BatchCopy, JobCopy } from '../job/moving.ts'
import type { Cancelling, Outcome } from '../job/outcome.ts'
import type { Ended, State } from '../job/state.ts'

/** What the methods of the contract are given, and what they answer. */

export type Topic = 'ready' | 'change' | 'cancel' | 'entry'

/** A transaction of the caller's: sends one statement with its values (`$1`, …) over its connection. */
export type Transaction = {
  query(text: string, values: string[]): Promise<{ rows: readonly unknown[] }>
}

export type Inserted =
  | { id: JobId; joined: boolean }
  | { id: JobId; refused: 'ID_TAKEN' | 'UNIQUE_TAKEN' }
  /** As many of this key wait as may. */
  | { id: JobId; refused: 'LIMIT_REACHED'; key: string }
  /** It repeats a request whose job was erased. */
  | { id: JobId; refused: 'JOB_ERASED' }
  /** A transaction that is still open may be about to take its id or unique value. */
  | { id: JobId; refused: 'STORE_BUSY'; waitedMs: Millis }

export type Cancel = { id: JobId; outcome: Cancelling }
export type Cancelled = 'cancelled' | 'asked' | 'gone' | State
export type Retried = 'retried' | 'gone' | 'taken' | State
/**
 * `hooked`: a hook looks back on it that may still run. `filling`: sent again while its batch takes more, it must be
 * found. A state: it has not ended.
 */
export type Erased = 'erased' | 'hooked' | 'filling' | 'gone' | Exclude<State, Ended>

/** `ifWaiting`: only if the job waits for it just now. */
export type Letter = Omit<Mail, 'at'> & { to: JobId; ifWaiting?: boolean }
/** `idle`: it does not wait for that. `full`: there is no room for more. A state: it has ended. */
export type Posted = 'posted' | 'already' | 'idle' | 'full' | 'gone' | Ended
/** So many letters a mailbox takes. */
export const MAIL_MAX = 100

/** Stopping closes as well. `failedMax` is known late where it is a share of the items. */
export type BatchChange =
  | { to: 'open'; batch: NewBatch }
  | { to: 'closed'; failedMax?: number }
  | { to: 'stopped'; why: Stop }
/** `closed`: it takes no more. */
export type Filled = { refused: 'gone' | 'closed' } | { inserted: Inserted[] }
export type BatchPage = { batches: Batch[]; next?: string }
/** What is kept under a name beside jobs: a schedule is one. Its stamp is another after each change. */
export type Entry = {
  kind: string
  name: string
  stamp: string
  value: Bytes
  /** When it wants attention. */
  at?: Millis
}
/** With the store's clock, and the next moment at which one of that kind wants attention: past, when one does. */
export type Kept = { entries: Entry[]; now: Millis; nextAt?: Millis }

export type Change = Omit<Entry, 'value'> & {
  /** The stamp that it stands at; absent: there is none of this name. */
  expect?: string
  /** Absent: it is removed. */
  value?: Bytes
  jobs?: readonly NewJob[]
}
/**
 * What became of the jobs it brings; or nothing was done. `changed`: it stands otherwise than expected. `full`: of
 * its kind no more are taken. `busy`: a transaction that is still open may be about to take what a job of it needs.
 */
export type Put = { jobs: Inserted[] } | { refused: 'changed' | 'full' | 'busy' }
/** The kind of entry that pauses the queue of its name for as long as it is there: claims pass that queue over. */
export const PAUSE = 'pause'
/** So many entries are taken of a kind. */
export const ENTRIES_MAX = 1000
/** So many that want attention are told at once. */
export const DUE_MAX = 100
export type Audited = { n: number; at: Millis; entry: Bytes }
/** So many entries the audit log keeps at most. */
export const AUDIT_MAX = 1_000_000

/** So far is counted what stands before a job. */
export const AHEAD_MAX = 1000

/** `already`: it is here, as it stood or further. `behind`: it is here, and has moved on there since. */
export type Adopted = 'adopted' | 'already' | 'behind' | 'ID_TAKEN' | 'UNIQUE_TAKEN'
export type Copied = { jobs: JobCopy[]; aliases: Alias[]; batches: BatchCopy[]; next?: string }

export type Registration = {
  id: WorkerId
  leaseMs: Millis
  /** Host, pid, version, queues, concurrency: what people see of it. */
  info: Bytes
}

/**
 * Queues in their order: the first is emptied before the second is looked at. None named: every queue,
 * each first in its turn.
 */
export type Claim = { queues: readonly string[]; limit: number }
export type Settlement = { id: JobId; fence: Fence; outcome: Outcome }

/** `stale`: a higher fence exists. `gone`: the job was erased. */
export type Answer = 'done' | 'already' | 'stale' | 'gone'

export type Exchanged =
  /** `gone`: register anew. `closed`: this number is older than the last two. */
  | { refused: 'gone' | 'closed' }
  | {
      answers: Answer[]
      jobs: Claimed[]
      /** The store's clock. */
      now: Millis
      /** When the next delayed job of any queue is due. */
      nextDueMs?: Millis
    }

export type Renewed = { alive: false } | { alive: true; cancelAsked: JobId[] }

/** How many were erased, and which of them left files to be removed. */
export type Purged = { erased: number; withFiles: JobId[] }

export type Note = {
  id: JobId
  fence: Fence
  progress?: Bytes
  log?: readonly Omit<LogLine, 'fence'>[]
  /** Its holder made headway: what crashed before counts no more. */
  step?: Pick<Step, 'name' | 'value'>
  /**
   * A job that it calls, with a step that says so. One that is there stays as it is, but for one that has ended
   * and of which nothing lies in the mailbox: that is given another life.
   */
  child?: NewJob
}

export type Filter = {
  state?: State
  job?: string
  queue?: string
  tag?: string
  batch?: JobId
  /** Absent: every tenant's. */
  tenant?: string
}

export type Page = { jobs: Job[]; next?: string }

export type Tally = {
  queue: string
  accepted: number
  erased: number
  oldestReadyAt?: Millis
} & Record<State, number>

export type WorkerRow = {
  id: WorkerId
  info: Bytes
  registeredAt: Millis
  leaseUntil: Millis
  alive: boolean
  running: number
}

/** One broken sentence of the contract, and an example of it. */
export type Finding = { law: string; detail: string }
