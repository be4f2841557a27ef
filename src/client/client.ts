import { Batching, type Flush } from '../base/batching.ts'
import { newId } from '../base/id.ts'
import type { Bytes } from '../base/json.ts'
import { compress } from '../base/zstd.ts'
import { nearest } from '../base/nearest.ts'
import type { Files } from '../files/contract.ts'
import { type Definition } from '../job/define.ts'
import type { By, Entry } from '../job/audit.ts'
import { ErrandError } from '../job/errors.ts'
import type { JobId, NewJob } from '../job/job.ts'
import { boxOf } from '../job/mail.ts'
import { readText } from '../job/options.ts'
import { isEnded } from '../job/state.ts'
import { decideCancel } from '../job/outcome.ts'
import { encodeInput, type EnqueueOptions, type Idempotency, prepare } from '../job/prepare.ts'
import { readPolicy } from '../job/policy.ts'
import { refuseUndeclared } from '../job/reference.ts'
import type { Given, Schema } from '../job/schema.ts'
import type { Keyring } from '../job/seal.ts'
import { isPrivate, seal, sealNew } from '../job/sealing.ts'
import {
  type Inserted,
  type Intake,
  type Lookout,
  MAIL_MAX,
  type Transaction,
} from '../store/contract.ts'
import { AuditLog, type OnBehalf } from './audit.ts'
import { BatchClient } from './batch.ts'
import { Bulk } from './bulk.ts'
import { accepted, type Enqueued, type OnEnqueued, tellEach } from './enqueued.ts'
import { Erasing } from './erasing.ts'
import { openLimit } from './limits.ts'
import { type InTransaction, takeApart } from './transaction.ts'

export type SignalOptions = {
  /** Sent again under the same key it counts once. */
  key?: string
  /** Only if the job waits for it just now. */
  ifWaiting?: boolean
} & OnBehalf

export type ClientParts = {
  flush?: Flush | undefined
  keys?: Keyring | undefined
  /** Where the files of a job go with it when it is erased. */
  files?: Pick<Files, 'removeAll'> | undefined
  /** Told of every job once it is stored; not of those in a transaction of their caller. */
  onEnqueued?: OnEnqueued | undefined
}

type Looks = Pick<Lookout, 'find' | 'holder' | 'findBatches' | 'list' | 'rates' | 'audits'>

/** Whatever the store itself reports is nobody's item's fault. */
const isCulprit = (error: unknown) =>
  !(error instanceof ErrandError && error.code.startsWith('STORE_'))

/** Where work comes in: turns typed calls into rows. */
export class Client {
  readonly #intake: Intake & Looks
  readonly batches: BatchClient
  /** Acts on all jobs that fit a filter. */
  readonly bulk: Bulk
  readonly #definitions: Map<string, Definition>
  readonly #keys: Keyring | undefined
  readonly #erasing: Erasing
  readonly #log: AuditLog
  readonly #insertAll: (jobs: NewJob[]) => Promise<Inserted[]>
  readonly #plain: Batching<NewJob, Inserted>
  /** Inserts that look up others go apart, so that plain ones never wait for them. */
  readonly #named: Batching<NewJob, Inserted>

  constructor(
    intake: Intake & Looks,
    definitions: readonly Definition[] = [],
    { flush, keys, files, onEnqueued }: ClientParts = {},
  ) {
    this.#log = new AuditLog(intake, keys)
    this.bulk = new Bulk({ store: intake, files, log: this.#log })
    this.#intake = intake
    this.#keys = keys
    this.#erasing = new Erasing(intake, files, this.#log)
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]))
    this.batches = new BatchClient({
      store: intake,
      definitionOf: (job) => this.definition(job),
      keys,
      log: this.#log,
    })
    this.#insertAll = async (jobs) => {
      const inserted = await intake.insert(jobs)
      if (onEnqueued) tellEach(jobs, inserted, onEnqueued)
      return inserted
    }
    this.#plain = new Batching(this.#insertAll, isCulprit, flush)
    this.#named = new Batching(this.#insertAll, isCulprit, flush)
  }

  /**
   * Stores a job; when this resolves, it is committed, or with `tx` will be when your transaction is.
   * @throws ErrandError UNKNOWN_JOB (by name), INVALID_INPUT, UNSTORABLE_INPUT, INPUT_TOO_LARGE,
   * INVALID_OPTION, UNKNOWN_OPTION, ID_TAKEN, UNIQUE_TAKEN, JOB_ERASED, STORE_BUSY, STORE_FULL, TX_UNSUPPORTED
   */
  enqueue<In extends Schema>(
    job: Definition<In>,
    input: Given<In>,
    options?: EnqueueOptions & InTransaction,
  ): Promise<Enqueued>
  enqueue(job: string, input: unknown, options?: EnqueueOptions & InTransaction): Promise<Enqueued>
  async enqueue(
    job: Definition | string,
    input: unknown,
    options?: EnqueueOptions & InTransaction,
  ): Promise<Enqueued> {
    const { terms, tx } = takeApart(options)
    const prepared = prepare(this.definition(job), input, terms)
    return accepted(await this.#insert(prepared instanceof Promise ? await prepared : prepared, tx))
  }

  /** As `enqueue`, for a request that may be repeated: the same key and body find the first job. */
  async enqueueOnce(
    job: Definition | string,
    input: unknown,
    options: EnqueueOptions,
    idempotency: Idempotency,
  ): Promise<Enqueued> {
    return accepted(
      await this.#insert(await prepare(this.definition(job), input, options, idempotency)),
    )
  }

  /**
   * Stores many jobs of one definition in one commit, or none of them when an input is refused.
   * @throws ErrandError as `enqueue`
   */
  enqueueMany<In extends Schema>(
    job: Definition<In>,
    inputs: readonly Given<In>[],
    options?: EnqueueOptions & InTransaction,
  ): Promise<Enqueued[]>
  enqueueMany(
    job: string,
    inputs: readonly unknown[],
    options?: EnqueueOptions & InTransaction,
  ): Promise<Enqueued[]>
  async enqueueMany(
    job: Definition | string,
    inputs: readonly unknown[],
    options?: EnqueueOptions & InTransaction,
  ): Promise<Enqueued[]> {
    const definition = this.definition(job)
    const { terms, tx } = takeApart(options)
    const prepared = await Promise.all(
      inputs.map(async (input) => prepare(definition, input, terms)),
    )
    const jobs = prepared.map((job) => sealNew(job, this.#keys))
    const inserted = tx ? this.#intake.insert(jobs, tx) : this.#insertAll(jobs)
    return (await inserted).map(accepted)
  }

  /**
   * Ends a job that is not running at once; on a running one asks its holder and aborts its signal.
   * To cancel what is cancelled changes nothing.
   * @throws ErrandError JOB_NOT_FOUND, WRONG_STATE (it has completed or failed)
   */
  async cancel(id: JobId, { by }: OnBehalf = {}): Promise<'cancelled' | 'asked'> {
    const [job] = await this.#intake.find([id])
    if (job === undefined) throw new ErrandError('JOB_NOT_FOUND', { id })
    if (!isEnded(job.state)) await this.#write({ act: 'cancel', jobs: [id] }, by)
    const cancel = { id, outcome: decideCancel(job, Date.now()) }
    const [answer = 'gone'] = await this.#intake.cancel([cancel])
    if (answer === 'cancelled' || answer === 'asked') return answer
    if (answer === 'gone') throw new ErrandError('JOB_NOT_FOUND', { id })
    throw new ErrandError('WRONG_STATE', { id, state: answer, verb: 'cancelled' })
  }

  /**
   * Gives a failed or cancelled job another life under the same id, with a new input if one is given. Refused while
   * jobs that it called are still asked to end, as those of a cancelled one are for a moment.
   * @throws ErrandError JOB_NOT_FOUND, WRONG_STATE, UNIQUE_TAKEN, UNSTORABLE_INPUT, INVALID_INPUT
   */
  async retry(id: JobId, { input, by }: { input?: unknown } & OnBehalf = {}): Promise<void> {
    const isNew = input !== undefined
    // What is refused anyway is not written down.
    const [job] = by ? await this.#intake.find([id]) : []
    if (job?.state === 'failed' || job?.state === 'cancelled')
      await this.#write({ act: 'retry', jobs: [id], ...(isNew && { newInput: true }) }, by)
    const [answer = 'gone'] = await this.#intake.retry(
      [id],
      input === undefined ? undefined : await this.#close(id, 'input', encodeInput(input)),
    )
    if (answer === 'retried') return
    if (answer === 'gone') throw new ErrandError('JOB_NOT_FOUND', { id })
    if (answer === 'taken')
      throw new ErrandError('UNIQUE_TAKEN', { id: await this.#holderBeside(id) })
    throw new ErrandError('WRONG_STATE', { id, state: answer, verb: 'retried' })
  }

  /** Who has the unique value that this job had; it may have ended since. */
  async #holderBeside(id: JobId): Promise<JobId> {
    const [job] = await this.#intake.find([id])
    if (job?.unique === undefined) return id
    return (await this.#intake.holder(job.tenant, job.job, job.unique)) ?? id
  }

  /** As `Erasing` says. */
  erase: Erasing['erase'] = (...call) => this.#erasing.erase(...call)
  discard: Erasing['discard'] = (...call) => this.#erasing.discard(...call)

  /**
   * Sends a signal to a job, once under its key: a random one unless given. It waits in the job's mailbox until a
   * handler asks for it; at most 100 wait there, of 256 KiB each. With `ifWaiting` it is refused unless the job
   * waits for it just now.
   * @returns whether it was sent before, under this key
   * @throws ErrandError JOB_NOT_FOUND, WRONG_STATE (it has ended), NOT_WAITING, MAILBOX_FULL, INVALID_OPTION,
   * UNSTORABLE_INPUT, INPUT_TOO_LARGE, INVALID_INPUT (it is more than the job may carry)
   */
  async signal(
    id: JobId,
    name: string,
    value: unknown = null,
    { key = newId(), ifWaiting = false, by }: SignalOptions = {},
  ): Promise<{ repeated: boolean }> {
    const letter = { to: id, name: boxOf(name), key: readText('key', key), ifWaiting }
    const sealed = await this.#close(id, letter.name, encodeInput(value))
    const [job] = by ? await this.#intake.find([id]) : []
    if (job && !isEnded(job.state))
      await this.#write({ act: 'signal', jobs: [id], signal: name }, by)
    const [answer = 'gone'] = await this.#intake.post([{ ...letter, value: sealed }])
    switch (answer) {
      case 'posted':
      case 'already':
        return { repeated: answer === 'already' }
      case 'gone':
        throw new ErrandError('JOB_NOT_FOUND', { id })
      case 'idle':
        throw new ErrandError('NOT_WAITING', { id, signal: name })
      case 'full':
        throw new ErrandError('MAILBOX_FULL', { id, max: MAIL_MAX })
      default:
        throw new ErrandError('WRONG_STATE', { id, state: answer, verb: 'sent a signal' })
    }
  }

  /**
   * Opens a limit that a handler closed, before its time: calls pass again, and the jobs that were given back run now.
   * @returns how many those are
   * @throws ErrandError UNKNOWN_LIMIT (none of this name was used lately)
   */
  openLimit(name: string, { by }: OnBehalf = {}): Promise<number> {
    return openLimit(name, this.#intake, this.#log, by)
  }

  /**
   * Writes down that somebody submitted or read jobs, for an app whose rules ask for it; other acts write themselves.
   * @throws ErrandError INVALID_OPTION, STORE_BUSY
   */
  record(act: 'submit' | 'read', jobs: readonly JobId[], by: By): Promise<void> {
    return this.#log.write({ act, jobs }, by)
  }

  /** The definition itself, or the one of this name. @throws ErrandError UNKNOWN_JOB */
  definition(job: Definition | string): Definition {
    if (typeof job !== 'string') return job
    const definition = this.#definitions.get(job)
    if (definition !== undefined) return definition
    const close = nearest(job, [...this.#definitions.keys()])
    const hint = close === undefined ? '' : `; did you mean ${close}?`
    throw new ErrandError('UNKNOWN_JOB', { job, hint })
  }

  get definitions(): readonly Definition[] {
    return [...this.#definitions.values()]
  }

  #write(entry: Omit<Entry, keyof By>, by: By | undefined): Promise<void> {
    return this.#log.write(entry, by)
  }

  /** What goes to a job that is there rests as that does. @throws ErrandError INVALID_INPUT */
  async #close(id: JobId, field: string, bytes: Bytes): Promise<Bytes> {
    const [job] = await this.#intake.find([id])
    if (job === undefined) return bytes
    refuseUndeclared(bytes, readPolicy(job.policy), job.job)
    const fewer = compress(bytes)
    return isPrivate(job) ? seal(fewer, job, field, this.#keys) : fewer
  }

  /** What belongs to a transaction shares its trip with nobody. */
  #insert(prepared: NewJob, tx?: Transaction): Promise<Inserted | undefined> {
    const job = sealNew(prepared, this.#keys)
    if (tx !== undefined) return this.#intake.insert([job], tx).then(([inserted]) => inserted)
    const isPlain = job.fingerprint === undefined && job.unique === undefined
    return (isPlain ? this.#plain : this.#named).add(job)
  }
}
