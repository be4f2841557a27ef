import type { Batch } from '../job/batch.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError, hasCode } from '../job/errors.ts'
import { type BatchOptions, prepareBatch } from '../job/items.ts'
import type { JobId } from '../job/job.ts'
import type { Idempotency } from '../job/prepare.ts'
import type { Given, Schema } from '../job/schema.ts'
import type { Keyring } from '../job/seal.ts'
import type { State } from '../job/state.ts'
import type { Intake, Lookout } from '../store/contract.ts'
import type { AuditLog, OnBehalf } from './audit.ts'
import { type BatchAccepted, BatchSender, type Items } from './sending.ts'

type Store = Pick<Intake, 'changeBatch' | 'fillBatch' | 'retry'> &
  Pick<Lookout, 'findBatches' | 'list'>

type Parts = {
  store: Store
  definitionOf: (job: Definition | string) => Definition
  keys: Keyring | undefined
  log: AuditLog
}

const PAGE = 500

/** Where batches come in, and what people do with them. */
export class BatchClient {
  readonly #store: Store
  readonly #definitionOf
  readonly #keys
  readonly #log

  constructor({ store, definitionOf, keys, log }: Parts) {
    this.#store = store
    this.#log = log
    this.#definitionOf = definitionOf
    this.#keys = keys
  }

  /**
   * Stores items as jobs that are followed together: 1 to 1 000 000, from a list or a stream, in constant memory.
   * When this resolves, all of them are stored and the batch is closed. Sent again under the same id, what is
   * missing comes in.
   * @throws ErrandError UNKNOWN_JOB, INVALID_ITEMS (unless `invalid: 'fail'`), INVALID_OPTION, UNKNOWN_OPTION,
   * ID_TAKEN, BATCH_CLOSED (it was stopped meanwhile), STORE_BUSY, STORE_FULL
   */
  enqueue<In extends Schema>(
    job: Definition<In>,
    items: Iterable<Given<In>> | AsyncIterable<Given<In>>,
    options?: BatchOptions,
  ): Promise<BatchAccepted>
  enqueue(job: Definition | string, items: Items, options?: BatchOptions): Promise<BatchAccepted>
  enqueue(
    job: Definition | string,
    items: Items,
    options: BatchOptions = {},
  ): Promise<BatchAccepted> {
    return this.#send(job, items, options)
  }

  /** As `enqueue`, for a request that may be repeated: the same key finds the first batch. */
  enqueueOnce(
    job: Definition | string,
    items: Items,
    options: BatchOptions,
    idempotency: Idempotency,
  ): Promise<BatchAccepted> {
    return this.#send(job, items, options, idempotency)
  }

  /**
   * Begins no more items of a batch; those that wait are cancelled, those that run are asked to end.
   * @throws ErrandError BATCH_NOT_FOUND
   */
  async cancel(id: JobId, { by }: OnBehalf = {}): Promise<void> {
    await this.#find(id)
    await this.#log.write({ act: 'cancel', jobs: [], batch: id }, by)
    const stopped = await this.#store.changeBatch(id, { to: 'stopped', why: 'asked' })
    if (stopped === undefined) throw new ErrandError('BATCH_NOT_FOUND', { id })
  }

  /**
   * Gives the failed items of a batch another life, which opens it again; with `cancelled` those as well.
   * @returns how many
   * @throws ErrandError BATCH_NOT_FOUND
   */
  async retry(
    id: JobId,
    { cancelled = false, by }: { cancelled?: boolean } & OnBehalf = {},
  ): Promise<number> {
    const batch = await this.#find(id)
    await this.#log.write({ act: 'retry', jobs: [], batch: id }, by)
    const failed = await this.#retryAll(id, 'failed', batch.failed)
    return failed + (cancelled ? await this.#retryAll(id, 'cancelled', batch.cancelled) : 0)
  }

  async #find(id: JobId): Promise<Batch> {
    const [batch] = await this.#store.findBatches([id])
    if (batch === undefined) throw new ErrandError('BATCH_NOT_FOUND', { id })
    return batch
  }

  async #send(
    job: Definition | string,
    items: Items,
    options: BatchOptions,
    idempotency?: Idempotency,
  ): Promise<BatchAccepted> {
    const prepared = prepareBatch(this.#definitionOf(job), options, idempotency)
    const { batch } = prepared
    const [known] = await this.#store.findBatches([batch.id])
    if (known && known.fingerprint !== batch.fingerprint)
      throw new ErrandError('ID_TAKEN', { id: batch.id })
    // All of it came before: its items need not be read again.
    if (known?.closedAt !== undefined) return joined(known)
    const sender = new BatchSender({ store: this.#store, keys: this.#keys, prepared })
    try {
      return { ...(await sender.send(items)), joined: known !== undefined }
    } catch (error) {
      if (!hasCode(error, 'BATCH_CLOSED')) throw error
      const closed = await this.#find(batch.id)
      // The same request, sent twice at once: the other was through first.
      if (closed.stopped === undefined) return joined(closed)
      throw error
    }
  }

  /** Those that were so when it was asked: what fails anew meanwhile stays. */
  async #retryAll(batch: JobId, state: State, most: number): Promise<number> {
    let retried = 0
    let cursor: string | undefined
    do {
      if (retried >= most) break
      const page = await this.#store.list({ batch, state }, PAGE, cursor)
      const answers = await this.#store.retry(page.jobs.map(({ id }) => id))
      retried += answers.filter((answer) => answer === 'retried').length
      cursor = page.next
    } while (cursor !== undefined)
    return retried
  }
}

const joined = ({ id, items }: Batch): BatchAccepted => ({
  id,
  joined: true,
  items,
  invalid: 0,
  issues: [],
})
