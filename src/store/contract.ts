import type { Bytes } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Batch } from '../job/batch.ts'
import type {
  Artifact,
  Attempt,
  Job,
  JobId,
  LogLine,
  Mail,
  NewJob,
  Step,
  WorkerId,
} from '../job/job.ts'
import type { RateRow, Take } from '../job/rate.ts'
import type { Adoptee, Alias, BatchCopy } from '../job/moving.ts'
import type {
  Topic,
  Transaction,
  Inserted,
  Cancel,
  Cancelled,
  Retried,
  Erased,
  Letter,
  Posted,
  BatchChange,
  Filled,
  BatchPage,
  Kept,
  Change,
  Put,
  Audited,
  Adopted,
  Copied,
  Registration,
  Claim,
  Settlement,
  Answer,
  Exchanged,
  Renewed,
  Purged,
  Note,
  Filter,
  Page,
  Tally,
  WorkerRow,
  Finding,
} from './terms.ts'

export * from './terms.ts'

/**
 * What Errand asks of a database. `test/store/clauses` holds every store to these sentences, by number:
 *
 *  C1  A call happens entirely or not at all, and a refused item never harms its neighbours.
 *  C2  A ready job is handed to one worker, under a fence higher than any before it.
 *  C3  Only the holder of the current fence may settle or note. Others change nothing, and are told so.
 *  C4  A repeated exchange gives the same jobs, answers `already` for `done`, and changes nothing.
 *  C5  Every running job stands in exactly one receipt of its worker.
 *  C6  A sweep hands a dead worker's jobs to the sweeper under new fences, and decides nothing.
 *  C7  Jobs of one queue leave by priority, then by the moment they became ready, then by arrival; fair
 *      ones by turns of their tenants. Of a queue that is paused none leaves.
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
 *      under that name forgotten. Who called others that are still asked to end is not retried.
 *  C16 A batch counts its items and what became of them, exactly at every look; the step that ends the last of a
 *      closed one inserts the job at its end, once an ending. Of one that is stopped no item is begun any more.
 *  C17 A limited job is handed out only while each of its keys has a place for it; whatever it leaves gives its
 *      places back, and the next of a key's line takes them. A key's line takes no more than may wait.
 *  C18 What is kept under a name is changed by whoever saw it as it stands, together with the jobs that it brings;
 *      a repeat of a change is told what the first was told.
 *  C19 What people did is kept in the order in which they did it, as it was said, until its time is over.
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
  /**
   * Gives failed and cancelled jobs another life under the same id, with all attempts before them; not while jobs
   * that they called are still asked to end.
   */
  retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]>
  /**
   * Removes jobs that have ended, and all they left in the store, now. A request that named its id is known for as
   * long as its key would be: a repeat is told so.
   */
  erase(ids: readonly JobId[]): Promise<Erased[]>
  /** Adds an entry to the log of who did what, as the one of this number; false where that is not the next. Nothing changes one. */
  audit(n: number, entry: Bytes): Promise<boolean>
  /** Puts letters into mailboxes, each once under its key. A job that waits for it becomes ready. */
  post(letters: readonly Letter[]): Promise<Posted[]>
  /** Changes entries that stand as expected, each together with its jobs. A repeat, by its stamp, changes nothing. */
  put(changes: readonly Change[]): Promise<Put[]>
  /**
   * Stores jobs as they stood in another store, in this order of arrival; moments count as they are, fences
   * go on from where they were. May be repeated: what is here already stays as it is. Batches come as they stand,
   * before or after their items.
   */
  adopt(
    jobs: readonly Adoptee[],
    aliases?: readonly Alias[],
    batches?: readonly BatchCopy[],
  ): Promise<Adopted[]>
  /** Opens a batch, closes or stops it, and answers how it stands then. What it is already it stays. */
  changeBatch(id: JobId, change: BatchChange): Promise<Batch | undefined>
  /** Stores items of an open batch. May be repeated: it counts those that were not here. Until it is closed all are kept. */
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
  /**
   * Removes at most `limit` ended jobs whose time to be kept is over, as many inputs and results that go before their
   * record (an input is empty then), and as many entries of the audit log that are
   * older than `auditMs` or beyond `AUDIT_MAX`, but never the newest; none of these where no age is given. Also limits that nobody used for
   * a day and their span.
   */
  purge(limit: number, auditMs?: Millis): Promise<Purged>
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
   * the last job the requests that joined, then the batches. Steady only while nobody works.
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
  /**
   * What is kept of a kind, by name: all of it, the one of this name, or those that want attention by now, the
   * longest due first and 100 at most.
   */
  entries(kind: string, which?: { name: string } | 'due'): Promise<Kept>
  /** How many jobs of its queue leave before one that is ready; counted to `AHEAD_MAX` and no further. */
  ahead(id: JobId): Promise<number>
  /** Entries of the audit log, the newest first, from before the one numbered `before` on. */
  audits(limit: number, before?: number): Promise<Audited[]>
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
   * Rings when jobs became ready or a queue was resumed, when any job or the standing of a batch changed visibly,
   * when the cancel of a running one was asked, or when an entry came, went or wants attention sooner, in this or
   * another process.
   */
  listen(topic: Topic, ring: () => void): Disposable
  /** What endangers or slows the store as it stands now, in words for people; none as a rule. */
  warnings(): Promise<string[]>
  /** Throws unless the store can be read. */
  ping(): Promise<void>
}
