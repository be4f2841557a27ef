import { randomUUID } from 'node:crypto'
import { type BatchView, type By, type Desk, ErrandError, hasCode, type JobView } from 'errand'
import type { Who } from '../../common/who.ts'
import type { Settings } from '../settings.ts'
import { Looks } from './looks.ts'
import { type BatchRecord, idOf, type NewRecord, type Records } from './records.ts'
import { isOver, orNothing, submit } from './shared.ts'
import { type BatchStatus, toStatus } from './status.ts'

export type BatchRequest = {
  batch_id?: string | undefined
  domains: readonly string[]
  max_pages: number
  max_concurrent: number
}

type Door = Pick<
  Desk,
  'enqueue' | 'job' | 'batch' | 'items' | 'cancel' | 'cancelBatch' | 'retry' | 'retryBatch'
>

const PAGE = 1000

/** What the API does with batches. A tenant's are nobody else's: each is looked up by its tenant and its id. */
export class Batches {
  readonly #errand: Door
  readonly #records: Records
  readonly #looks: Looks<BatchStatus>

  constructor(errand: Door, records: Records, { liveMs }: Pick<Settings, 'liveMs'>) {
    this.#errand = errand
    this.#records = records
    this.#looks = new Looks(liveMs)
  }

  /**
   * Accepts a batch: when this resolves, its record and its job are stored. The same request again is the same batch.
   * @throws ErrandError ID_TAKEN (another request came under this `batch_id`), and what an enqueue throws
   */
  async submit({ tenant, user }: Who, request: BatchRequest): Promise<BatchRecord> {
    const batchId = request.batch_id ?? randomUUID()
    const record: NewRecord = {
      tenant,
      batchId,
      id: idOf({ tenant, batchId }),
      userId: user,
      domains: request.domains,
      maxPages: request.max_pages,
      maxConcurrent: request.max_concurrent,
      createdAt: Date.now(),
    }
    const known = await this.#records.find(record)
    if (known) refuseOther(known, record)
    const there = await this.#records.add(known ?? record, async (first, tx) => {
      // Of two that come at once the first record counts: the job must not say what another does.
      refuseOther(first, record)
      const stored = submit(this.#errand, first, tx ? { tx } : {})
      // The record is there: whoever looks for records without a job gives it one, once the store is back.
      await (tx ? stored : stored.catch(unlessOut))
    })
    refuseOther(there, record)
    return there
  }

  /** @throws ErrandError BATCH_NOT_FOUND, also for another tenant's */
  async status(who: Who, batchId: string): Promise<BatchStatus> {
    const id = idOf({ tenant: who.tenant, batchId })
    return this.#looks.once(id, async () => this.#status(await this.#read(who, batchId)))
  }

  /** The status once the batch is over, or as it stands after `ms`. @throws ErrandError BATCH_NOT_FOUND */
  async ended(who: Who, batchId: string, ms: number, signal: AbortSignal): Promise<BatchStatus> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(ms)])
    for await (const status of this.follow(who, batchId, late)) if (status.is_over) return status
    return this.status(who, batchId)
  }

  /** The newest first, without their domains. */
  async list({ tenant }: Who, limit: number) {
    const records = await this.#records.list(tenant, limit)
    const found = await Promise.all(
      records.map(async (record) => {
        const counts = await this.#counts(record)
        if (isForgotten(record, counts)) return []
        // Domains are begun in their order, so the first one tells whether any was.
        const items = counts.batch ? await this.#items(record, 1) : []
        const { domains: _, ...status } = toStatus(record, { ...counts, items })
        return [status]
      }),
    )
    return found.flat()
  }

  /** The status again and again, until it is over. */
  async *follow(
    who: Who,
    batchId: string,
    signal: AbortSignal,
  ): AsyncGenerator<BatchStatus, void, undefined> {
    const id = idOf({ tenant: who.tenant, batchId })
    const look = () => this.status(who, batchId)
    for await (const status of this.#looks.follow(id, look, signal)) {
      yield status
      if (status.is_over) return
    }
  }

  /** One domain of a batch with all that is known of it; nothing where it was not begun. @throws ErrandError BATCH_NOT_FOUND, NOT_FOUND */
  async domain(who: Who, batchId: string, domain: string): Promise<JobView | undefined> {
    const record = await this.#read(who, batchId)
    const from = record.domains.indexOf(domain)
    if (from === -1) throw new ErrandError('NOT_FOUND', {})
    const { tenant } = record
    const page = await orNothing(this.#errand.items(record.id, { tenant, from, limit: 1 }))
    return page?.items.find(({ index }) => index === from)
  }

  /** Begins no more domains; those that are being read are asked to stop. @throws ErrandError BATCH_NOT_FOUND */
  async cancel(who: Who, batchId: string): Promise<void> {
    const { id, tenant } = await this.#read(who, batchId)
    const { is_over: isOver } = await this.status(who, batchId)
    if (isOver) return
    // Marked first: whoever brings in its domains just now looks at the mark afterwards.
    await this.#records.cancel(id, Date.now())
    const by = byOf(who)
    await orNothing(this.#errand.cancel(id, { by }))
    if (await orNothing(this.#errand.batch(id, tenant))) await this.#errand.cancelBatch(id, { by })
  }

  /**
   * Tries again what failed, and what a cancel kept from being begun; what is complete stays as it is.
   * @returns how many domains
   * @throws ErrandError BATCH_NOT_FOUND, WRONG_STATE (it is still being cancelled)
   */
  async retry(who: Who, batchId: string): Promise<number> {
    const record = await this.#read(who, batchId)
    const { id, tenant, cancelledAt } = record
    const batch = await orNothing(this.#errand.batch(id, tenant))
    const by = byOf(who)
    const job = batch ? undefined : await orNothing(this.#errand.job(id, tenant))
    const isStopping = batch
      ? batch.stopped && batch.state !== 'ended'
      : cancelledAt && !isOver(job)
    if (isStopping) throw new ErrandError('WRONG_STATE', { id, state: 'running', verb: 'retried' })
    if (cancelledAt !== undefined) await this.#records.cancel(id, undefined)
    if (batch) return this.#errand.retryBatch(id, { cancelled: true, by })
    if (job?.state !== 'failed' && job?.state !== 'cancelled') return 0
    await this.#errand.retry(id, { by })
    return record.domains.length
  }

  async retryDomain(who: Who, batchId: string, domain: string): Promise<void> {
    const job = await this.domain(who, batchId, domain)
    if (job === undefined) {
      const { status = 'pending' } = (await this.status(who, batchId)).domains[domain] ?? {}
      throw new ErrandError('WRONG_STATE', { id: domain, state: status, verb: 'retried' })
    }
    const record = await this.#read(who, batchId)
    if (record.cancelledAt !== undefined) {
      const batch = await orNothing(this.#errand.batch(record.id, record.tenant))
      if (batch?.state !== 'ended')
        throw new ErrandError('WRONG_STATE', { id: record.id, state: 'running', verb: 'retried' })
      // Else it would be stopped again with its batch.
      await this.#records.cancel(record.id, undefined)
    }
    await this.#errand.retry(job.id, { by: byOf(who) })
  }

  async #read({ tenant }: Who, batchId: string): Promise<BatchRecord> {
    const record = await this.#records.find({ tenant, batchId })
    if (record === undefined) throw new ErrandError('BATCH_NOT_FOUND', { id: 'given' })
    return record
  }

  async #status(record: BatchRecord): Promise<BatchStatus> {
    const counts = await this.#counts(record)
    if (counts.batch) return toStatus(record, { ...counts, items: await this.#items(record) })
    if (isForgotten(record, counts)) throw new ErrandError('BATCH_NOT_FOUND', { id: 'given' })
    return toStatus(record, counts)
  }

  /** What is known of a batch without a look at its domains. */
  async #counts({ id, tenant }: BatchRecord) {
    const batch = await orNothing(this.#errand.batch(id, tenant))
    if (batch) return { batch }
    const job = await orNothing(this.#errand.job(id, tenant))
    return job ? { job } : {}
  }

  async #items({ id, tenant }: BatchRecord, most = Infinity): Promise<JobView[]> {
    const all: JobView[] = []
    for (let from: number | undefined = 0; from !== undefined && all.length < most;) {
      const page: Awaited<ReturnType<Desk['items']>> = await this.#errand.items(id, {
        tenant,
        from,
        limit: Math.min(most, PAGE),
      })
      all.push(...page.items)
      from = page.next
    }
    return all
  }
}

/** Its batch was there, and is kept no longer. */
const isForgotten = ({ handedAt }: BatchRecord, { batch }: { batch?: BatchView }): boolean =>
  handedAt !== undefined && batch === undefined

const OUT = ['STORE_UNREACHABLE', 'STORE_BUSY', 'STORE_FAILED'] as const
function unlessOut(error: unknown): void {
  if (!OUT.some((code) => hasCode(error, code))) throw error
}

const byOf = ({ tenant, user }: Who): By => ({
  from: 'http',
  person: user,
  ...(tenant !== '' && { tenant }),
})

function refuseOther(known: NewRecord, asked: NewRecord): void {
  const print = ({ domains, maxPages, maxConcurrent }: NewRecord) =>
    JSON.stringify([domains, maxPages, maxConcurrent])
  if (print(known) !== print(asked)) throw new ErrandError('ID_TAKEN', { id: known.id })
}
