import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Desk, type Enqueued, ErrandError, hasCode } from 'errand'
import type { Backend } from './backend.ts'
import { create, MassPaymentRequest } from './contract.ts'
import { idOf, orUnavailable, ownedBy, type Sight, worded } from './sight.ts'
import { toView } from './view.ts'

type Errand = Pick<Desk, 'enqueue' | 'ended' | 'input'>
type Submission = { id?: string | undefined; key?: string | undefined; tenant: string }

/** Mass payments as their owners see them: each from its jobs and the backend, nothing kept beside. */
export class Payments {
  readonly #errand: Errand
  readonly #backend: Backend
  readonly #sight: Sight

  constructor(errand: Errand, backend: Backend, sight: Sight) {
    this.#errand = errand
    this.#backend = backend
    this.#sight = sight
  }

  /** Accepts a mass payment without a word to the backend. The same id, or the same key, joins the one that is there. */
  async submit(request: unknown, { id, key, tenant }: Submission): Promise<Enqueued> {
    const keyed = key === undefined ? undefined : idOf(tenant, 'create', key)
    const own = id ?? keyed ?? randomUUID()
    // Under one key there is one mass payment, whatever ids its tries bring, for as long as its record is kept.
    const unique = keyed === undefined ? {} : { unique: `key ${keyed}` }
    try {
      const options = { id: own, ...ownedBy(tenant), ...unique }
      const enqueued = await this.#errand.enqueue(create.name, request, options)
      const { id: there } = enqueued
      // Once it is done its words are gone: then the key alone tells.
      if (there !== own && (await this.#compare(there, request, tenant)) === 'other') throw reused()
      return enqueued
    } catch (error) {
      if (!hasCode(error, 'ID_TAKEN')) throw error
      // The same under the same id, but by another key or by none.
      if (id === undefined) throw reused(error)
      if ((await this.#compare(own, request, tenant)) === 'same') return { id: own, joined: true }
      throw worded(error)
    }
  }

  /** Whether a job that is there was asked for in the same words, as long as these are kept. */
  async #compare(id: string, request: unknown, tenant: string) {
    const job = await this.#sight.job(id, create.name, tenant)
    const there = MassPaymentRequest.safeParse(job && (await this.#errand.input(id, tenant)))
    if (!there.success) return 'gone'
    const asked = MassPaymentRequest.safeParse(request)
    return isDeepStrictEqual(there.data, asked.data) ? 'same' : 'other'
  }

  /** How it stands. @throws ErrandError JOB_NOT_FOUND */
  async view(id: string, tenant: string) {
    return toView(id, await this.#sight.known(id, tenant))
  }

  /** As `view`, once it is processed and, where that was asked for, created; or as it stands after `ms`. */
  async viewOnce(id: string, tenant: string, ms: number) {
    const until = Date.now() + ms
    await this.#errand.ended(id, ms, tenant)
    const { confirm: next } = await this.#sight.jobs(id, tenant)
    if (next) await this.#errand.ended(next.id, Math.max(0, until - Date.now()), tenant)
    return this.view(id, tenant)
  }

  /** Rows come from the backend, page by page, and go nowhere else. */
  async rows(id: string, tenant: string, what: 'payments' | 'errors', page: Paging) {
    const [job, payment] = await Promise.all([
      this.#sight.job(id, create.name, tenant),
      this.#sight.find(id, tenant, false),
    ])
    if (payment?.id !== undefined) return orUnavailable(this.#backend.rows(payment.id, what, page))
    if (!job) throw worded(new ErrandError('JOB_NOT_FOUND', { id }))
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
}

type Paging = { page: number; page_size: number }

const reused = (cause?: unknown) => new ErrandError('IDEMPOTENCY_KEY_REUSED', {}, { cause })
