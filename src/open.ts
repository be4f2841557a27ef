import { tmpdir } from 'node:os'
import type { Flush } from './base/batching.ts'
import type { BatchClient } from './client/batch.ts'
import type { BulkDone, BulkFilter, BulkOptions } from './client/bulk.ts'
import type { Items } from './client/sending.ts'
import { Client } from './client/client.ts'
import type { OnEnqueued } from './client/enqueued.ts'
import { Pauses } from './client/pauses.ts'
import { Schedules } from './client/schedules.ts'
import type { InTransaction } from './client/transaction.ts'
import { nextCron } from './cron.ts'
import type { Files } from './files/contract.ts'
import { type App, handlersOf } from './http/app.ts'
import { plannedBy } from './http/schedule.ts'
import type { Resources } from './job/context.ts'
import type { Definition, Handler, WholeJob } from './job/define.ts'
import { ErrandError } from './job/errors.ts'
import type { RateLimit } from './job/rate.ts'
import { refuseUnknown } from './job/options.ts'
import type { BatchOptions } from './job/items.ts'
import { readZone } from './job/rule.ts'
import type { EnqueueOptions } from './job/prepare.ts'
import { Keyring } from './job/seal.ts'
import type { Given, Parsed, Schema } from './job/schema.ts'
import type { Store } from './store/contract.ts'
import { openFiles, openStore, type StoreOptions } from './stores.ts'
import { Watch } from './watch/watch.ts'
import type { Worker } from './worker/worker.ts'
import type { WorkerSettings } from './worker/settings.ts'

export type OpenOptions = StoreOptions & {
  /** Jobs that may be enqueued by name. */
  jobs?: readonly Definition[]
  /** A server gathers the enqueues of a whole turn of its loop; a script sends each at once. */
  flush?: Flush
  /** Where artifacts lie: `file:<folder>`. */
  files?: string
  /** Keys for sealed data: `id:key` with commas between, each key 32 bytes in base64. The first seals, all open. */
  sealKeys?: string
  /** Told of every job once it is stored; not of those in a transaction of their caller. */
  onEnqueued?: OnEnqueued
  /** The zone of schedules' cron rules that name none; UTC unless said. */
  timeZone?: string
}

/**
 * Opens Errand on a store.
 * @throws ErrandError as `openStore`, UNKNOWN_OPTION, INVALID_OPTION, UNKNOWN_TIME_ZONE
 */
export async function open(url?: string, options: OpenOptions = {}): Promise<Errand> {
  refuseUnknown(options, OPEN_OPTIONS)
  if (options.timeZone !== undefined) readZone(options.timeZone)
  const keys = options.sealKeys === undefined ? undefined : readKeys(options.sealKeys)
  const store = await openStore(url, options)
  return new Errand(store, openFiles(options.files), { ...options, keys })
}

const OPEN_OPTIONS = [
  'durability',
  'migrate',
  'clock',
  'jobs',
  'flush',
  'files',
  'sealKeys',
  'onEnqueued',
  'timeZone',
]

/** @throws ErrandError INVALID_OPTION */
export function readKeys(text: string): Keyring {
  const keys = Keyring.read(text)
  if (keys) return keys
  const problem = 'needs id:key with commas between, each key 32 bytes in base64'
  throw new ErrandError('INVALID_OPTION', { option: 'sealKeys', problem })
}

/** The front door: enqueue and look, from any process; work, in this one. */
export class Errand implements AsyncDisposable {
  readonly store: Store
  readonly files: Files
  readonly client: Client
  readonly watch: Watch
  readonly schedules: Schedules
  readonly pauses: Pauses
  readonly #keys: Keyring | undefined
  readonly #workers: Worker[] = []

  constructor(
    store: Store,
    files: Files,
    {
      jobs = [],
      flush,
      keys,
      onEnqueued,
      timeZone: zone,
    }: Pick<OpenOptions, 'jobs' | 'flush' | 'onEnqueued' | 'timeZone'> & {
      keys?: Keyring | undefined
    } = {},
  ) {
    this.#keys = keys
    this.store = store
    this.files = files
    this.client = new Client(store, jobs, { flush, keys, files, onEnqueued })
    this.watch = new Watch(store, keys)
    this.pauses = new Pauses(store, keys)
    const means = { next: nextCron, keys, zone }
    this.schedules = new Schedules(store, (job) => this.client.definition(job), means)
  }

  enqueue: Client['enqueue'] = (
    job: Definition | string,
    input: unknown,
    options?: EnqueueOptions & InTransaction,
  ) => this.client.enqueue(this.client.definition(job), input, options)
  enqueueMany: Client['enqueueMany'] = (
    job: Definition | string,
    inputs: readonly unknown[],
    options?: EnqueueOptions & InTransaction,
  ) => this.client.enqueueMany(this.client.definition(job), inputs, options)
  enqueueBatch: BatchClient['enqueue'] = (
    job: Definition | string,
    items: Items,
    options?: BatchOptions,
  ) => this.client.batches.enqueue(job, items, options)
  cancelBatch: BatchClient['cancel'] = (...call) => this.client.batches.cancel(...call)
  retryBatch: BatchClient['retry'] = (...call) => this.client.batches.retry(...call)
  cancel: Client['cancel'] = (...call) => this.client.cancel(...call)
  /** Gives all failed jobs that fit another life, a bounded number a call; `next` goes on. */
  retryAll = (filter: BulkFilter, options?: BulkOptions): Promise<BulkDone> =>
    this.client.bulk.run('retry', filter, options)
  /** Cancels all that fit and have not ended. */
  cancelAll = (filter: BulkFilter, options?: BulkOptions): Promise<BulkDone> =>
    this.client.bulk.run('cancel', filter, options)
  /** Erases all failed jobs that fit. */
  discardAll = (filter: BulkFilter, options?: BulkOptions): Promise<BulkDone> =>
    this.client.bulk.run('discard', filter, options)
  signal: Client['signal'] = (...call) => this.client.signal(...call)
  erase: Client['erase'] = (...call) => this.client.erase(...call)
  discard: Client['discard'] = (...call) => this.client.discard(...call)
  pauseQueue: Pauses['pause'] = (...call) => this.pauses.pause(...call)
  resumeQueue: Pauses['resume'] = (...call) => this.pauses.resume(...call)
  record: Client['record'] = (...call) => this.client.record(...call)
  openLimit: Client['openLimit'] = (...call) => this.client.openLimit(...call)
  retry: Client['retry'] = (id, options) => this.client.retry(id, options)

  job: Watch['job'] = (...call) => this.watch.job(...call)
  input: Watch['input'] = (...call) => this.watch.input(...call)
  why: Watch['why'] = (...call) => this.watch.why(...call)
  find: Watch['find'] = (...call) => this.watch.find(...call)
  result: Watch['result'] = (...call) => this.watch.result(...call)
  ended: Watch['ended'] = (...call) => this.watch.ended(...call)
  list: Watch['list'] = (...call) => this.watch.list(...call)
  batch: Watch['batch'] = (...call) => this.watch.batch(...call)
  batches: Watch['batches'] = (...call) => this.watch.batches(...call)
  items: Watch['items'] = (...call) => this.watch.items(...call)
  attempts: Watch['attempts'] = (...call) => this.watch.attempts(...call)
  steps: Watch['steps'] = (...call) => this.watch.steps(...call)
  signals: Watch['signals'] = (...call) => this.watch.signals(...call)
  logs: Watch['logs'] = (...call) => this.watch.logs(...call)
  audit: Watch['audit'] = (...call) => this.watch.audit(...call)
  limits: Watch['limits'] = () => this.watch.limits()
  queues: Watch['queues'] = () => this.watch.queues()
  workers: Watch['workers'] = () => this.watch.workers()
  verify: Watch['verify'] = () => this.watch.verify()

  /**
   * The job's work, run here and now: no store, no worker, no retries. Throws what the handler throws. Limits that it
   * takes from hold for this process.
   */
  async run<In extends Schema, Out extends Schema>(
    job: Handler<In, Out> | WholeJob<In, Out>,
    input: Given<In>,
    {
      resources,
      limits = [],
    }: { resources?: Partial<Resources>; limits?: readonly RateLimit[] } = {},
  ): Promise<Parsed<Out>> {
    const { runInline } = await import('./worker/alone.ts')
    const handler = 'handler' in job ? job.handler : job
    return runInline(handler, input, { files: this.files, resources, limits })
  }

  /**
   * A worker in this process, its handlers too: for tests, scripts and small services. `onError` is told of
   * what it waits out, and of a lease that was lost (WORKER_GONE), after which it has ended.
   */
  async work(
    app: Pick<
      App,
      'jobs' | 'limits' | 'handlers' | 'start' | 'stop' | 'schedules' | 'timeZone' | 'mount'
    >,
    { onError, ...settings }: Partial<WorkerSettings> & { onError?: (error: unknown) => void } = {},
  ): Promise<Worker> {
    const [{ Worker }, { InlineCrew }, { WORKER_DEFAULTS }, handlers, planned, resources] =
      await Promise.all([
        import('./worker/worker.ts'),
        import('./worker/inline.ts'),
        import('./worker/settings.ts'),
        handlersOf(app),
        plannedBy(app, this.#keys),
        app.start?.(),
      ])
    const crew = new InlineCrew(
      handlers,
      {
        files: this.files,
        resources,
        scratch: tmpdir(),
        keys: this.#keys,
        limits: app.limits ?? [],
      },
      settings.concurrency ?? WORKER_DEFAULTS.concurrency,
    )
    const { store, files } = this
    const clockwork = { planned, next: nextCron, keys: this.#keys }
    const parts = { store, files, crew, settings, ...clockwork, ...(onError && { onError }) }
    const worker = await Worker.start(parts)
    this.#workers.push(worker)
    void worker.closed.then(() => (resources === undefined ? undefined : app.stop?.(resources)))
    return worker
  }

  /** Stops what works here and closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
    this.watch[Symbol.dispose]()
    await this.store[Symbol.asyncDispose]()
  }
}
