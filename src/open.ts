import { tmpdir } from 'node:os'
import type { Flush } from './base/batching.ts'
import type { Clock } from './base/time.ts'
import type { BatchClient } from './client/batch.ts'
import type { Items } from './client/sending.ts'
import { Client } from './client/client.ts'
import type { InTransaction } from './client/transaction.ts'
import type { Files } from './files/contract.ts'
import { DiskFiles } from './files/disk/disk.ts'
import { type App, handlersOf } from './http/app.ts'
import type { Resources } from './job/context.ts'
import type { Definition, Handler, WholeJob } from './job/define.ts'
import { ErrandError } from './job/errors.ts'
import type { RateLimit } from './job/rate.ts'
import { refuseUnknown } from './job/options.ts'
import type { BatchOptions } from './job/items.ts'
import type { EnqueueOptions } from './job/prepare.ts'
import { Keyring } from './job/seal.ts'
import type { Given, Parsed, Schema } from './job/schema.ts'
import type { Store } from './store/contract.ts'
import { Watch } from './watch/watch.ts'
import type { Worker } from './worker/worker.ts'
import type { WorkerSettings } from './worker/settings.ts'

export type StoreOptions = {
  /**
   * `full`: a commit survives a power cut. `normal`: it survives the death of processes. `none`: accepts a
   * server whose settings would lose more.
   */
  durability?: 'full' | 'normal' | 'none'
  /** Brings an older store to this release's schema; so unless false. */
  migrate?: boolean
  clock?: Clock
}

export type OpenOptions = StoreOptions & {
  /** Jobs that may be enqueued by name. */
  jobs?: readonly Definition[]
  /** A server gathers the enqueues of a whole turn of its loop; a script sends each at once. */
  flush?: Flush
  /** Where artifacts lie: `file:<folder>`. */
  files?: string
  /** Keys for sealed data: `id:key` with commas between, each key 32 bytes in base64. The first seals, all open. */
  sealKeys?: string
}

export const DEFAULT_STORE = 'sqlite:.errand/errand.db'
export const DEFAULT_FILES = 'file:.errand/files'

/**
 * Opens a store by its URL. Drivers are loaded when they are asked for.
 * @throws ErrandError UNKNOWN_STORE, STORE_UNREACHABLE, STORE_UNSAFE, STORE_CORRUPT, SCHEMA_TOO_NEW,
 * SCHEMA_OUTDATED
 */
export async function openStore(
  url: string = DEFAULT_STORE,
  options: StoreOptions = {},
): Promise<Store> {
  const [, scheme, location = ''] = /^([\w-]+):(.+)$/.exec(url) ?? []
  switch (scheme) {
    case 'sqlite': {
      const { SqliteStore } = await import('./store/sqlite/store.ts')
      return SqliteStore.open(location.replace(/^\/\//, ''), options)
    }
    case 'redis':
    case 'rediss':
    case 'redis-sentinel':
    case 'rediss-sentinel':
    case 'redis-cluster':
    case 'rediss-cluster': {
      const { RedisStore } = await driver('ioredis', () => import('./store/redis/store.ts'))
      return RedisStore.open(url, options)
    }
    case 'postgres':
    case 'postgresql': {
      const { PostgresStore } = await driver('pg', () => import('./store/postgres/store.ts'))
      return PostgresStore.open(url, options)
    }
    default:
      // The URL may hold a password: only its scheme is repeated.
      throw new ErrandError('UNKNOWN_STORE', { url: scheme ?? 'given' })
  }
}

/** The SQL that a store of this schema still needs; Redis has none. */
export async function pendingSince(
  url: string,
  found: number,
): Promise<readonly { name: string; sql: string }[]> {
  if (url.startsWith('redis')) return []
  if (!url.startsWith('postgres'))
    return (await import('./store/sqlite/migrate.ts')).pendingSince(found)
  const { pendingSince: pending } = await import('./store/postgres/migrate.ts')
  return pending(found, URL.parse(url)?.searchParams.get('schema') ?? undefined)
}

/** A driver, whose client is installed only by those who use it. @throws ErrandError STORE_UNREACHABLE */
async function driver<Module>(client: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    const isMissing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (!isMissing) throw error
    const why = `the package ${client} is not installed; run: npm install ${client}`
    throw new ErrandError('STORE_UNREACHABLE', { why }, { cause: error })
  }
}

/** @throws ErrandError INVALID_OPTION */
export function openFiles(url: string = DEFAULT_FILES): Files {
  if (!url.startsWith('file:'))
    throw new ErrandError('INVALID_OPTION', { option: 'files', problem: 'needs file:<folder>' })
  return new DiskFiles(url.slice('file:'.length))
}

/**
 * Opens Errand on a store.
 * @throws ErrandError as `openStore`, UNKNOWN_OPTION, INVALID_OPTION
 */
export async function open(url?: string, options: OpenOptions = {}): Promise<Errand> {
  refuseUnknown(options, ['durability', 'migrate', 'clock', 'jobs', 'flush', 'files', 'sealKeys'])
  const keys = readKeys(options.sealKeys)
  const store = await openStore(url, options)
  return new Errand(store, openFiles(options.files), { ...options, keys })
}

/** @throws ErrandError INVALID_OPTION */
function readKeys(text: string | undefined): Keyring | undefined {
  if (text === undefined) return undefined
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
  readonly #keys: Keyring | undefined
  readonly #workers: Worker[] = []

  constructor(
    store: Store,
    files: Files,
    {
      jobs = [],
      flush,
      keys,
    }: Pick<OpenOptions, 'jobs' | 'flush'> & { keys?: Keyring | undefined } = {},
  ) {
    this.#keys = keys
    this.store = store
    this.files = files
    this.client = new Client(store, jobs, { flush, keys })
    this.watch = new Watch(store, keys)
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
  cancelBatch: BatchClient['cancel'] = (id) => this.client.batches.cancel(id)
  retryBatch: BatchClient['retry'] = (...call) => this.client.batches.retry(...call)
  cancel: Client['cancel'] = (id) => this.client.cancel(id)
  signal: Client['signal'] = (...call) => this.client.signal(...call)
  openLimit: Client['openLimit'] = (name) => this.client.openLimit(name)
  retry: Client['retry'] = (id, options) => this.client.retry(id, options)

  job: Watch['job'] = (...call) => this.watch.job(...call)
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
    app: Pick<App, 'jobs' | 'limits' | 'handlers' | 'start' | 'stop'>,
    { onError, ...settings }: Partial<WorkerSettings> & { onError?: (error: unknown) => void } = {},
  ): Promise<Worker> {
    const [{ Worker }, { InlineCrew }, { WORKER_DEFAULTS }, handlers, resources] =
      await Promise.all([
        import('./worker/worker.ts'),
        import('./worker/inline.ts'),
        import('./worker/settings.ts'),
        handlersOf(app),
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
    const parts = { store, files, crew, settings, ...(onError && { onError }) }
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
