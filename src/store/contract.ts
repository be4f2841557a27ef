import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Batch, NewBatch, Stop } from '../job/batch.ts'
import type {
  Artifact,
  Attempt,
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
import type { RateRow, Take } from '../job/rate.ts'
import type { Adoptee, Alias, JobCopy } from '../job/moving.ts'
import type { Cancelling, Outcome } from '../job/outcome.ts'
import type { Ended, State } from '../job/state.ts'

/**
 * What Errand asks of a database. `test/store/clauses` holds every store to these sentences, by number:
 *
 *  C1  A call happens entirely or not at all, and a refused item never harms its neighbours.
 *  C2  A ready job is handed to one worker, under a fence higher than any before it.
 *  C3  Only the holder of the current fence may settle or note. Others change nothing, and are told so.
 *  C4  A repeated exchange gives the same jobs, answers `already` for `done`, and changes nothing.
 *  C5  Every running job stands in exactly one receipt of its worker.
 *  C6  A sweep hands a dead worker's jobs to the sweeper under new fences, and decides nothing.
 *  C7  Jobs of one queue leave by priority, then by the moment they became ready, then by arrival.
 *  C8  The same id or unique value is one job: a repeat joins it or is refused, whoever asks, however often.
 *  C9  A job becomes ready when it is due, and no sooner; the reply says when to look again.
 *  C10 Accepted jobs are ended, live or erased: the counters say so and agree with what is stored.
 *  C11 Bytes come back exactly as they were given.
 *  C12 The step that ends a job inserts its hook, and the row stays for as long as the hook may run.
 *  C13 A step is recorded once, under the current fence, and comes with its job to whoever runs it next.
 *  C14 A job that waits becomes ready when its moment has come or what it waits for is in its mailbox, be it
 *      before or after; mail is kept once under its key, and comes with its job.
 *  C15 A job that was called is stored once; the step that ends it tells its parent, and whose parent is cancelled
 *      is asked to end. A word's key begins with the id of who says it: who is called makes what others said
 *      under that name forgotten.
 *  C16 A batch counts its items and what became of them, exactly at every look; the step that ends the last of a
 *      closed one inserts the job at its end, once an ending. Of one that is stopped no item is begun any more.
 *  C20 In no span of a limit more calls pass than it counts, whoever asks; while it is held, none.
 *
 * Time belongs to the store. Tests lend it a clock. A store never parses `Bytes`. Ids are lower-case
 * UUIDs, moments and spans whole milliseconds, priorities 0 to 9, texts well-formed and without NUL:
 * whoever calls sees to it, and a store may refuse the whole call.
 */
export interface Store extends Intake, Workbench, Lookout, AsyncDisposable {
  /** What it is and how durable a commit is, for people and beside every figure. */
  readonly about: About
}

export type About = {
  kind: string
  location: string
  durability: string
  /** What may be lost although it was accepted; absent when nothing is. */
  risk?: string
  schema: number
}

/** Where work comes in. All that `client/` may touch. */
export interface Intake {
  /**
   * Stores jobs, or says which existing job each of them is. May be repeated when its reply was lost:
   * an id without a fingerprint is its caller's own. With `tx` they are stored when that commits, or a
   * store that cannot take part in it refuses before anything is sent. Within it nothing is repeated.
   */
  insert(jobs: readonly NewJob[], tx?: Transaction): Promise<Inserted[]>
  /** Ends a job that is not running with this outcome; asks and rings the holder of one that is. */
  cancel(cancels: readonly Cancel[]): Promise<Cancelled[]>
  /** Gives failed and cancelled jobs another life under the same id, with all attempts before them. */
  retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]>
  /** Puts letters into mailboxes, each once under its key. A job that waits for it becomes ready. */
  post(letters: readonly Letter[]): Promise<Posted[]>
  /**
   * Stores jobs as they stood in another store, in this order of arrival; moments count as they are, fences
   * go on from where they were. May be repeated: what is here already stays as it is.
   */
  adopt(jobs: readonly Adoptee[], aliases?: readonly Alias[]): Promise<Adopted[]>
  /** Opens a batch, closes or stops it, and answers how it stands then. What it is already it stays. */
  changeBatch(id: JobId, change: BatchChange): Promise<Batch | undefined>
  /** Stores items of an open batch. May be repeated: it counts those that were not here. */
  fillBatch(id: JobId, items: readonly NewJob[]): Promise<Filled>
  /**
   * Closes a limit for so long, or leaves it closed for longer; 0 opens it. Answers how long it is closed now;
   * nothing where there is none to open.
   */
  hold(limit: string, ms: Millis): Promise<Millis | undefined>
}

/** Where work is done. All that `worker/` may touch. */
export interface Workbench {
  /** Makes a worker known; its lease begins. */
  register(worker: Registration): Promise<void>
  /**
   * Settles M and claims N in one trip. Repeat `n` when its reply was lost. `n` may be sent once
   * `n - 2` was answered; one older than the last two is refused as closed.
   */
  exchange(
    worker: WorkerId,
    n: number,
    settlements: readonly Settlement[],
    claim: Claim,
  ): Promise<Exchanged>
  /** Pushes the worker's lease away and leaves its metrics. Names the jobs whose cancel was asked. */
  renew(worker: WorkerId, metrics?: Bytes): Promise<Renewed>
  /** Progress, log lines and steps: accepted under the current fence only. A step that is there stays as it is. */
  note(worker: WorkerId, notes: readonly Note[]): Promise<Answer[]>
  /**
   * Lets calls under limits pass, in this order: 0 for each that passes, else when to ask again. Of one limit, who
   * comes after one that has to wait waits too. A repeat, when its reply was lost, counts twice.
   */
  take(takes: readonly Take[]): Promise<Millis[]>
  /** Takes over jobs of workers whose lease ran out. Numbered like an exchange. */
  sweep(worker: WorkerId, n: number, limit: number): Promise<Exchanged>
  /** Ends a worker now: its jobs need not wait for its lease to run out. */
  retire(worker: WorkerId): Promise<void>
  /** Makes parked jobs of these names ready again. */
  unpark(jobs: readonly string[]): Promise<number>
  /** Removes at most `limit` ended jobs whose time to be kept is over, and limits that nobody used for a day and their span. */
  purge(limit: number): Promise<Purged>
  /** Files whose time is over, at most `limit`. */
  expired(limit: number): Promise<(Artifact & { id: JobId })[]>
  /** Strikes files off, once their bytes are gone. */
  forget(artifacts: readonly { id: JobId; file: string }[]): Promise<void>
  /** Batches that are stopped and not ended; it stops those first to which nothing came for so long. */
  stoppedBatches(idleMs: Millis): Promise<Batch[]>
  /** Strikes off workers long gone; their metrics are folded into one sum by `fold`. */
  bury(fold: (metrics: readonly Bytes[]) => Bytes): Promise<number>
}

/** Where work is seen. All that `watch/` may touch. */
export interface Lookout {
  find(ids: readonly JobId[]): Promise<(Job | undefined)[]>
  /** The job that holds a unique value. */
  holder(tenant: string, job: string, unique: string): Promise<JobId | undefined>
  /** A page of jobs. At most 1 000 are looked at, so a page may be short while `next` goes on. */
  list(filter: Filter, limit: number, cursor?: string): Promise<Page>
  /**
   * All there is, whole and in the order of arrival, at most `limit` and fewer when they are large; after
   * the last job the requests that joined. Steady only while nobody works.
   */
  copy(limit: number, cursor?: string): Promise<Copied>
  attempts(id: JobId): Promise<Attempt[]>
  /** In the order in which they were recorded. */
  steps(id: JobId): Promise<Step[]>
  /** In the order in which it came. */
  mail(id: JobId): Promise<Mail[]>
  logs(id: JobId, after: number, limit: number): Promise<(LogLine & { n: number })[]>
  findBatches(ids: readonly JobId[]): Promise<(Batch | undefined)[]>
  /** The newest first. At most 1 000 are looked at. */
  listBatches(filter: Pick<Filter, 'tenant'>, limit: number, cursor?: string): Promise<BatchPage>
  /** Limits that were used lately, by name; at most 1 000. */
  rates(): Promise<RateRow[]>
  /** What lies in each queue, from counters. */
  tally(): Promise<Tally[]>
  workers(): Promise<WorkerRow[]>
  /** Metrics each living worker left, and the sum of those gone. */
  metrics(): Promise<Bytes[]>
  /** Every way in which what is stored contradicts itself; empty when all is accounted for. */
  verify(): Promise<Finding[]>
  /**
   * Rings when jobs became ready, when any job changed visibly, or when the cancel of a running one was asked, in
   * this or another process.
   */
  listen(topic: Topic, ring: () => void): Disposable
  /** What endangers or slows the store as it stands now, in words for people; none as a rule. */
  warnings(): Promise<string[]>
  /** Throws unless the store can be read. */
  ping(): Promise<void>
}

export type Topic = 'ready' | 'change' | 'cancel'

/** A transaction of the caller's: sends one statement with its values (`$1`, …) over its connection. */
export type Transaction = {
  query(text: string, values: string[]): Promise<{ rows: readonly unknown[] }>
}

export type Inserted =
  | { id: JobId; joined: boolean }
  | { id: JobId; refused: 'ID_TAKEN' | 'UNIQUE_TAKEN' }
  /** A transaction that is still open may be about to take its id or unique value. */
  | { id: JobId; refused: 'STORE_BUSY'; waitedMs: Millis }

export type Cancel = { id: JobId; outcome: Cancelling }
export type Cancelled = 'cancelled' | 'asked' | 'gone' | State
export type Retried = 'retried' | 'gone' | 'taken' | State

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

/** `already`: it is here, as it stood or further. `behind`: it is here, and has moved on there since. */
export type Adopted = 'adopted' | 'already' | 'behind' | 'ID_TAKEN' | 'UNIQUE_TAKEN'
export type Copied = { jobs: JobCopy[]; aliases: Alias[]; next?: string }

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
