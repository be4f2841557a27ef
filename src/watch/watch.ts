import { isId } from '../base/id.ts'
import { type Bytes, readOwn } from '../base/json.ts'
import { type Millis, type Span, TIMER_MAX_MS } from '../base/time.ts'
import type { Files } from '../files/contract.ts'
import { SealedFiles } from '../files/sealed.ts'
import { type BatchView, toBatchView } from '../job/batch.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import { readFailure } from '../job/failure.ts'
import { signalOf } from '../job/mail.ts'
import type { Artifact, Job, JobId } from '../job/job.ts'
import { type RateView, toRateView } from '../job/rate.ts'
import { readSpan } from '../job/options.ts'
import type { Parsed, Schema } from '../job/schema.ts'
import type { Keyring } from '../job/seal.ts'
import { isPrivate, needKeys, quietly, readLine, stepField, unsealJob } from '../job/sealing.ts'
import { isEnded, type State } from '../job/state.ts'
import type { Why } from '../job/why.ts'
import { iso, type JobView, readValue, toView } from '../job/view.ts'
import type { Filter, Finding, Lookout } from '../store/contract.ts'
import { type AuditCheck, type AuditFilter, checkAudit, readAudit } from './audit.ts'
import { BatchWatch } from './batches.ts'
import { Follower } from './follow.ts'
import { type QueueView, readQueues } from './queues.ts'
import { type AttemptView, type LogView, type SignalView, type StepView, told } from './views.ts'
import { findWhy } from './why.ts'
import { readWorkers, type WorkerView } from './workers.ts'

/** Where work is seen: everything a person or a program may ask about jobs. */
export class Watch implements Disposable {
  readonly #lookout: Lookout
  readonly #follower: Follower
  readonly #batches: BatchWatch

  readonly #keys: Keyring | undefined

  constructor(lookout: Lookout, keys?: Keyring) {
    this.#lookout = lookout
    this.#keys = keys
    this.#follower = new Follower(lookout)
    this.#batches = new BatchWatch(lookout)
  }

  [Symbol.dispose](): void {
    this.#follower[Symbol.dispose]()
  }

  /** One job as it stands. Another tenant's does not exist. @throws ErrandError JOB_NOT_FOUND */
  async job(id: JobId, tenant?: string): Promise<JobView> {
    return this.#view(await this.#read(id, tenant))
  }

  /** What it was given; undefined once that was dropped, or cannot be opened here. @throws ErrandError JOB_NOT_FOUND */
  async input(id: JobId, tenant?: string): Promise<unknown> {
    const job = await this.#read(id, tenant)
    const input = this.#open(job.input, job, 'input')
    return input && readOwn(input, undefined)
  }

  /** Why it is not running, or where it stands. @throws ErrandError JOB_NOT_FOUND */
  async why(id: JobId, tenant?: string): Promise<Why> {
    return findWhy(this.#lookout, await this.#read(id, tenant))
  }

  /** The job of this name that holds a unique value. */
  async find(job: Definition | string, unique: string, tenant = ''): Promise<JobView | undefined> {
    const name = typeof job === 'string' ? job : job.name
    const isMarked = typeof job !== 'string' && job.policy.data === 'sealed'
    const value = isMarked ? needKeys(this.#keys).mark(unique) : unique
    const id = await this.#lookout.holder(tenant, name, value)
    return id === undefined ? undefined : this.job(id, tenant)
  }

  /**
   * The job once it has ended, or as it stands after `ms`.
   * @throws ErrandError JOB_NOT_FOUND
   */
  async ended(id: JobId, ms: Millis, tenant?: string, signal?: AbortSignal): Promise<JobView> {
    const until = performance.now() + ms
    using following = this.#follower.follow(id)
    let job = await this.#read(id, tenant)
    for (;;) {
      const left = until - performance.now()
      if (isEnded(job.state) || left <= 0 || signal?.aborted || this.#follower.isClosed)
        return this.#view(job)
      const news = await following.next(job.rev, left, signal)
      job = typeof news === 'object' ? news : await this.#read(id, tenant)
    }
  }

  /**
   * The views of a job after this one, as it changes; a view that nobody took in time is skipped.
   * Nothing whenever it stayed as it was for `idleMs`. Over once it has ended or is gone.
   */
  async *follow(
    { id, tenant, rev, state }: JobView,
    idleMs: Millis,
    signal: AbortSignal,
  ): AsyncGenerator<JobView | undefined> {
    using following = this.#follower.follow(id)
    while (!isEnded(state)) {
      const news = await following.next(rev, idleMs, signal)
      if (signal.aborted || this.#follower.isClosed || news === 'gone') return
      const view = news && this.#view(news)
      // The id of an erased job may be given to another one.
      if (view && view.tenant !== tenant) return
      if (view) ({ rev, state } = view)
      yield view
    }
  }

  /**
   * What a job came to; waits for its end as long as it takes unless `wait` says otherwise.
   * @throws ErrandError JOB_FAILED, JOB_CANCELLED, RESULT_NOT_READY, RESULT_DROPPED, JOB_NOT_FOUND
   */
  async result<In extends Schema, Out extends Schema>(
    _definition: Definition<In, Out>,
    id: JobId,
    { wait, tenant }: { wait?: Span; tenant?: string } = {},
  ): Promise<Parsed<Out>> {
    const view = await this.ended(
      id,
      wait === undefined ? TIMER_MAX_MS : readSpan('wait', wait),
      tenant,
    )
    if (view.dropped?.includes('result')) throw new ErrandError('RESULT_DROPPED', { id })
    if (view.state === 'completed') return view.result
    if (view.state === 'cancelled') throw new ErrandError('JOB_CANCELLED', { id })
    if (view.state !== 'failed')
      throw new ErrandError('RESULT_NOT_READY', { id, state: view.state })
    const { reason = 'error', error } = view
    throw new ErrandError('JOB_FAILED', { id, reason }, { cause: error })
  }

  async list(
    filter: Filter,
    limit: number,
    cursor?: string,
  ): Promise<{ jobs: JobView[]; next?: string }> {
    const { jobs, next } = await this.#lookout.list(filter, limit, cursor)
    return { jobs: jobs.map((job) => this.#view(job)), ...(next !== undefined && { next }) }
  }

  /** A batch as it stands. Another tenant's does not exist. @throws ErrandError BATCH_NOT_FOUND */
  async batch(id: JobId, tenant?: string): Promise<BatchView> {
    return toBatchView(await this.#batches.one(id, tenant))
  }

  /** The batch once it has ended, or as it stands after `ms`. @throws ErrandError BATCH_NOT_FOUND */
  async batchEnded(
    id: JobId,
    ms: Millis,
    tenant?: string,
    signal?: AbortSignal,
  ): Promise<BatchView> {
    return toBatchView(await this.#batches.ended(id, { ms, tenant, signal }))
  }

  /** The newest first. */
  batches(
    filter: { tenant?: string } = {},
    limit = 50,
    cursor?: string,
  ): Promise<{ batches: BatchView[]; next?: string }> {
    return this.#batches.list(filter, limit, cursor)
  }

  /**
   * Items of a batch in their order, from a place on; a page may be short while there is a next.
   * @throws ErrandError BATCH_NOT_FOUND
   */
  async items(
    id: JobId,
    {
      tenant,
      limit = 100,
      ...where
    }: { state?: State; from?: number; limit?: number; tenant?: string } = {},
  ): Promise<{ items: JobView[]; next?: number }> {
    const page = await this.#batches.items(await this.#batches.one(id, tenant), { ...where, limit })
    return { ...page, items: page.items.map((job) => this.#view(job)) }
  }

  async attempts(id: JobId, tenant?: string): Promise<AttemptView[]> {
    const job = await this.#read(id, tenant)
    return (await this.#lookout.attempts(id)).map(({ error, startedAt, endedAt, ...rest }) => ({
      ...rest,
      startedAt: iso(startedAt),
      endedAt: iso(endedAt),
      ...(error && { error: readFailure(this.#open(error, job, 'error') ?? error) }),
    }))
  }

  /** What its runs recorded so far, in that order. */
  async steps(id: JobId, tenant?: string): Promise<StepView[]> {
    const job = await this.#read(id, tenant)
    return (await this.#lookout.steps(id)).map(({ name, at, value: kept }) => {
      const value = this.#open(kept, job, stepField(name))
      return { name, at: iso(at), ...(value?.length && told(name, readOwn(value, undefined))) }
    })
  }

  /** What was sent to it, in that order. */
  async signals(id: JobId, tenant?: string): Promise<SignalView[]> {
    const job = await this.#read(id, tenant)
    return (await this.#lookout.mail(id)).flatMap(({ name, key, at, value: kept }) => {
      const signal = signalOf(name)
      if (signal === undefined) return []
      const value = this.#open(kept, job, name)
      return [{ name: signal, key, at: iso(at), value: value && readOwn(value, undefined) }]
    })
  }

  async logs(
    id: JobId,
    { after = 0, limit = 1000, tenant }: { after?: number; limit?: number; tenant?: string } = {},
  ): Promise<LogView[]> {
    const job = await this.#read(id, tenant)
    return (await this.#lookout.logs(id, after, limit)).map((line) => ({
      ...line,
      at: iso(line.at),
      text: readLine(line.text, job, this.#keys),
    }))
  }

  /** A file the job left. @throws ErrandError ARTIFACT_NOT_FOUND */
  async artifact(id: JobId, file: string, tenant?: string): Promise<Artifact> {
    const job = await this.#read(id, tenant).catch(() => undefined)
    const artifact = job?.artifacts.find((candidate) => candidate.file === file)
    if (artifact === undefined || artifact.expiresAt <= Date.now())
      throw new ErrandError('ARTIFACT_NOT_FOUND', {})
    return artifact
  }

  /** Where the bytes of a job's files are to be read: sealed ones are opened on the way. */
  async filesOf(id: JobId, files: Files, tenant?: string): Promise<Files> {
    const job = await this.#read(id, tenant)
    return isPrivate(job) ? new SealedFiles(files, job, needKeys(this.#keys)) : files
  }

  /** Who did what, the newest first; a page may be short while there is a next. */
  audit(filter: AuditFilter, limit = 50, before?: number): ReturnType<typeof readAudit> {
    return readAudit(this.#lookout, filter, limit, before)
  }

  /** Looks for entries of the audit log that are not as they were written, or missing. */
  checkAudit(head?: string): Promise<AuditCheck> {
    return checkAudit(this.#lookout, this.#keys, head)
  }

  queues(): Promise<QueueView[]> {
    return readQueues(this.#lookout)
  }

  /** Limits that were used lately, by name. */
  async limits(): Promise<RateView[]> {
    return (await this.#lookout.rates()).map(toRateView)
  }

  workers(): Promise<WorkerView[]> {
    return readWorkers(this.#lookout)
  }

  /** Each living worker's metrics, and the sum of those gone. */
  async metrics(): Promise<unknown[]> {
    return (await this.#lookout.metrics()).map(readValue)
  }

  /** Proves that every accepted job is accounted for; empty when it is. */
  verify(): Promise<Finding[]> {
    return this.#lookout.verify()
  }

  /** What endangers or slows the store as it stands now, in words for people. */
  warnings(): Promise<string[]> {
    return this.#lookout.warnings()
  }

  ping(): Promise<void> {
    return this.#lookout.ping()
  }

  /** What is sealed is shown where its keys are. */
  #view(job: Job): JobView {
    return toView(unsealJob(job, this.#keys))
  }

  #open(bytes: Bytes, job: Job, field: string): Bytes | undefined {
    return quietly(bytes, job, field, this.#keys)
  }

  async #read(id: JobId, tenant: string | undefined): Promise<Job> {
    // A text that is no id cannot name a job: the store is not asked.
    const [job] = isId(id) ? await this.#lookout.find([id]) : []
    if (job === undefined || (tenant !== undefined && job.tenant !== tenant))
      throw new ErrandError('JOB_NOT_FOUND', { id: isId(id) ? id : 'given' })
    return job
  }
}
