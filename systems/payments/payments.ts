import { createHash, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Desk, ErrandError, FatalError, hasCode, type JobView } from 'errand'
import { HTTPException } from 'hono/http-exception'
import { ZodError } from 'zod'
import { type Backend, BackendError, type MassPayment, type Search } from './backend.ts'
import { comingOf } from './coming.ts'
import { cancel, confirm, create, MassPaymentRequest } from './contract.ts'
import { actsOf, hasBegun, isEnded, isWithErrors, type Known, labelOf, statusOf } from './status.ts'

type Errand = Pick<Desk, 'enqueue' | 'cancel' | 'retry' | 'job' | 'ended' | 'list' | 'input'>
type Submission = { id?: string | undefined; key?: string | undefined; tenant: string }

/** Mass payments as their owners see them: each from its jobs and the backend, nothing kept beside. */
export class Payments {
  readonly #errand: Errand
  readonly #backend: Backend

  constructor(errand: Errand, backend: Backend) {
    this.#errand = errand
    this.#backend = backend
  }

  /** Accepts a mass payment without a word to the backend. The same id, or the same key, is the same one. */
  async submit(request: unknown, { id, key, tenant }: Submission): Promise<string> {
    const keyed = key === undefined ? undefined : idOf(tenant, 'create', key)
    const own = id ?? keyed ?? randomUUID()
    // Under one key there is one mass payment, whatever ids its tries bring, for as long as its record is kept.
    const unique = keyed === undefined ? {} : { unique: `key ${keyed}` }
    try {
      const options = { id: own, ...ownedBy(tenant), ...unique }
      const { id: there } = await this.#errand.enqueue(create.name, request, options)
      // Once it is done its words are gone: then the key alone tells.
      if (there !== own && (await this.#compare(there, request, tenant)) === 'other') throw reused()
      return there
    } catch (error) {
      if (!hasCode(error, 'ID_TAKEN')) throw error
      // The same under the same id, but by another key or by none.
      if (id === undefined) throw reused(error)
      if ((await this.#compare(own, request, tenant)) === 'same') return own
      throw error
    }
  }

  /** Whether a job that is there was asked for in the same words, as long as these are kept. */
  async #compare(id: string, request: unknown, tenant: string) {
    const job = await this.#job(id, create.name, tenant)
    const there = MassPaymentRequest.safeParse(job && (await this.#errand.input(id, tenant)))
    if (!there.success) return 'gone'
    const asked = MassPaymentRequest.safeParse(request)
    return isDeepStrictEqual(there.data, asked.data) ? 'same' : 'other'
  }

  /** How it stands. @throws ErrandError JOB_NOT_FOUND when neither a job nor the backend knows it */
  async view(id: string, tenant: string) {
    const jobs = await this.#jobs(id, tenant)
    if (jobs.create && !hasBegun(jobs.create)) return toView(id, jobs)
    const payment = await this.#find(id, tenant, jobs.create !== undefined)
    if (!jobs.create && !payment) throw new ErrandError('JOB_NOT_FOUND', { id })
    return toView(id, { ...jobs, payment })
  }

  /** As `view`, once it is processed and, where that was asked for, created; or as it stands after `ms`. */
  async viewOnce(id: string, tenant: string, ms: number) {
    const until = Date.now() + ms
    await this.#errand.ended(id, ms, tenant)
    const { confirm: next } = await this.#jobs(id, tenant)
    if (next) await this.#errand.ended(next.id, Math.max(0, until - Date.now()), tenant)
    return this.view(id, tenant)
  }

  /**
   * Has it confirmed, once: whoever asks again while it is under way is told of the same job.
   * @throws ErrandError WRONG_STATE before it is processed and after its end, JOB_NOT_FOUND
   */
  async confirm(id: string, tenant: string, key?: string): Promise<string> {
    const jobs = await this.#jobs(id, tenant)
    const own = key === undefined ? randomUUID() : idOf(tenant, `confirm ${id}`, key)
    if (key !== undefined && (await this.#job(own, confirm.name, tenant))) return own
    if (jobs.confirm && !isEnded(jobs.confirm)) return jobs.confirm.id
    const payment = jobs.create ? undefined : await this.#find(id, tenant, false)
    if (!jobs.create && !payment) throw new ErrandError('JOB_NOT_FOUND', { id })
    const status = statusOf({ ...jobs, payment })
    const isOver = jobs.cancel !== undefined && jobs.cancel.state !== 'scheduled'
    if (status !== 'processed' || (isOver && jobs.cancel?.state !== 'cancelled'))
      throw refuse(id, status === 'processed' ? 'cancelled' : status, 'confirmed')
    const confirming = await this.#confirm(id, own, tenant, jobs.confirm)
    // Only now: whoever dies before this leaves an expiry that finds it confirmed.
    await this.#callOff(jobs.cancel)
    return confirming
  }

  /** One that an operator called off goes on with its notes: the backend may have been asked already. */
  async #confirm(id: string, own: string, tenant: string, before?: JobView): Promise<string> {
    if (before?.state === 'cancelled') {
      await this.#errand.retry(before.id).catch((error: unknown) => {
        // Somebody else has confirmed it again.
        if (!hasCode(error, 'WRONG_STATE')) throw error
      })
      return before.id
    }
    const options = { id: own, ...ownedBy(tenant), tags: [id] }
    return (await this.#errand.enqueue(confirm, { id }, options)).id
  }

  /** Cancels what is processed and nobody confirmed. @throws ErrandError WRONG_STATE, JOB_NOT_FOUND */
  async cancel(id: string, tenant: string): Promise<void> {
    const { status } = await this.view(id, tenant)
    const jobs = await this.#jobs(id, tenant)
    if (status !== 'processed' || jobs.confirm) throw refuse(id, status, 'cancelled')
    // Beside the expiry, whose place it would only take.
    const options = { ...ownedBy(tenant), tags: [id], unique: `${id} now` }
    await this.#errand.enqueue(cancel, { id }, options)
    await this.#callOff(jobs.cancel)
  }

  /** Has what failed tried again; it is looked for before it is asked for, as ever. */
  async retry(id: string, tenant: string): Promise<void> {
    const jobs = await this.#jobs(id, tenant)
    const failed = [jobs.confirm, jobs.create].find((job) => job?.state === 'failed')
    if (!failed) throw refuse(id, (await this.view(id, tenant)).status, 'tried again')
    await this.#errand.retry(failed.id)
  }

  /** Rows come from the backend, page by page, and go nowhere else. */
  async rows(id: string, tenant: string, what: 'payments' | 'errors', page: Paging) {
    const [job, payment] = await Promise.all([
      this.#job(id, create.name, tenant),
      this.#find(id, tenant, false),
    ])
    if (payment) return orUnavailable(this.#backend.rows(payment.id, what, page))
    if (!job) throw new ErrandError('JOB_NOT_FOUND', { id })
    return { data: [], total: 0 }
  }

  /** A list of one, or of none. */
  async listOne(id: string, tenant: string) {
    try {
      return { data: [await this.view(id, tenant)], total: 1 }
    } catch (error) {
      if (hasCode(error, 'JOB_NOT_FOUND')) return { data: [], total: 0 }
      throw error
    }
  }

  /** A page of those that the backend does not have yet, and behind them of those that it has. */
  async list(search: Search) {
    const { client: tenant, page, page_size: size, external_reference } = search
    // What it is called by its owner is known to the backend alone.
    const coming =
      external_reference === undefined
        ? await orUnavailable(comingOf(tenant, this.#errand, this.#backend))
        : []
    const from = (page - 1) * size
    const first = coming.slice(from, from + size).map((job) => toView(job.id, { create: job }))
    const { data, total } = await this.#listed(search, Math.max(0, from - coming.length))
    const known = data
      .slice(0, size - first.length)
      .map(async (payment) =>
        toView(payment.mp_uuid, { ...(await this.#jobs(payment.mp_uuid, tenant)), payment }),
      )
    return { data: [...first, ...(await Promise.all(known))], total: total + coming.length }
  }

  /** At least a page of what the backend has, from a place on that need not be where one of its pages begins. */
  async #listed(search: Search, from: number) {
    const page = Math.floor(from / search.page_size) + 1
    const pages = await orUnavailable(
      Promise.all([page, page + 1].map((one) => this.#backend.list({ ...search, page: one }))),
    )
    const data = pages.flatMap((one) => one.data).slice(from % search.page_size)
    return { data, total: pages[0]?.total ?? 0 }
  }

  async #jobs(id: string, tenant: string): Promise<Known> {
    const [first, { jobs }] = await Promise.all([
      this.#job(id, create.name, tenant),
      this.#errand.list({ tag: id, tenant }, 100),
    ])
    const latest = (name: string) =>
      jobs
        .filter(({ job }) => job === name)
        .reduce<JobView | undefined>(
          (one, other) => (one && one.createdAt > other.createdAt ? one : other),
          undefined,
        )
    return { create: first, confirm: latest(confirm.name), cancel: latest(cancel.name) }
  }

  async #job(id: string, name: string, tenant: string): Promise<JobView | undefined> {
    try {
      const view = await this.#errand.job(id, tenant)
      return view.job === name ? view : undefined
    } catch (error) {
      if (hasCode(error, 'JOB_NOT_FOUND')) return undefined
      throw error
    }
  }

  /** An expiry that has begun meanwhile looks for itself. */
  async #callOff(expiry: JobView | undefined): Promise<void> {
    if (expiry?.state !== 'scheduled') return
    await this.#errand.cancel(expiry.id).catch((error: unknown) => {
      if (!hasCode(error, 'WRONG_STATE') && !hasCode(error, 'JOB_NOT_FOUND')) throw error
    })
  }

  /** Where a job tells enough, the backend need not answer. */
  async #find(id: string, client: string, isKnown: boolean): Promise<MassPayment | undefined> {
    const found = this.#backend.find({ client, id })
    return isKnown ? found.catch(() => undefined) : orUnavailable(found)
  }
}

type Paging = { page: number; page_size: number }

/** Who names no tenant has none. */
const ownedBy = (tenant: string) => (tenant === '' ? {} : { tenant })

const refuse = (id: string, state: string, verb: string) =>
  new ErrandError('WRONG_STATE', { id, state, verb })

const reused = (cause?: unknown) => new ErrandError('IDEMPOTENCY_KEY_REUSED', {}, { cause })

async function orUnavailable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (cause) {
    if (cause instanceof FatalError) throw new HTTPException(502, { message: cause.message, cause })
    if (cause instanceof ZodError)
      throw new HTTPException(502, { message: 'the backend answered oddly', cause })
    if (!(cause instanceof BackendError)) throw cause
    throw new HTTPException(503, { message: 'the backend does not answer', cause })
  }
}

/** The UUID that these parts always give. */
function idOf(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  const cuts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`]
  return [...cuts, hex.slice(20, 32)].join('-')
}

function toView(id: string, known: Known) {
  const { create: first, confirm: second, cancel: third, payment } = known
  const status = statusOf(known)
  const withErrors = isWithErrors(status, known)
  const error = second?.error ?? first?.error
  const stage = [second, first].find((job) => job && !isEnded(job) && job.progress)?.progress
  return {
    id,
    status,
    label: labelOf(status, withErrors),
    with_errors: withErrors,
    ...(stage?.status !== undefined && { stage: stage.status }),
    ...(payment && {
      external_reference: payment.external_reference,
      backend_id: payment.id,
      counts: payment.counts,
    }),
    ...(status === 'processed' && {
      confirmation: {
        needed: true,
        ...(third?.state === 'scheduled' && { expires_at: third.runAt }),
      },
    }),
    ...((status === 'failed' || first?.state === 'failed') &&
      error && { error: { message: error.message, name: error.name } }),
    acts: actsOf(status, known),
    created_at: payment?.created_at ?? first?.createdAt,
  }
}
