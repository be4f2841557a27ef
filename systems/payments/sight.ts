import { createHash } from 'node:crypto'
import { type Desk, ErrandError, FatalError, hasCode, type JobView } from 'errand'
import { HTTPException } from 'hono/http-exception'
import { type Backend, BackendError, OddAnswer } from './backend.ts'
import { cancel, confirm, create } from './contract.ts'
import type { Seen } from './mass-payment.ts'
import { type Known, waitsForWorker } from './status.ts'

/** What is known of mass payments: from their jobs, and from the backend, nothing kept beside. */
export class Sight {
  readonly #errand: Pick<Desk, 'job' | 'list'>
  readonly #backend: Backend

  constructor(errand: Pick<Desk, 'job' | 'list'>, backend: Backend) {
    this.#errand = errand
    this.#backend = backend
  }

  /** All of one. @throws ErrandError JOB_NOT_FOUND when neither a job nor the backend knows it */
  async known(id: string, tenant: string): Promise<Known> {
    const jobs = await this.jobs(id, tenant)
    if (jobs.create && waitsForWorker(jobs.create)) return jobs
    const payment = await this.find(id, tenant, jobs.create !== undefined)
    if (!jobs.create && !payment) throw worded(new ErrandError('JOB_NOT_FOUND', { id }))
    return { ...jobs, payment }
  }

  async jobs(id: string, tenant: string): Promise<Known> {
    const [first, { jobs }] = await Promise.all([
      this.job(id, create.name, tenant),
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

  async job(id: string, name: string, tenant: string): Promise<JobView | undefined> {
    try {
      const view = await this.#errand.job(id, tenant)
      return view.job === name ? view : undefined
    } catch (error) {
      if (hasCode(error, 'JOB_NOT_FOUND')) return undefined
      throw error
    }
  }

  /** Where a job tells enough, the backend need not answer. */
  async find(id: string, client: string, isKnown: boolean): Promise<Seen | undefined> {
    const found = this.#backend.see({ client, id })
    return isKnown ? found.catch(() => undefined) : orUnavailable(found)
  }
}

/** The backend's answer, or in the words of this API why there is none. */
export async function orUnavailable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (cause) {
    if (cause instanceof FatalError || cause instanceof OddAnswer)
      throw new HTTPException(502, { message: cause.message, cause })
    if (!(cause instanceof BackendError)) throw cause
    throw new HTTPException(503, { message: 'the backend does not answer', cause })
  }
}

/** Whoever uses this API knows of no jobs. */
export const worded = (error: ErrandError): ErrandError =>
  Object.assign(error, { message: error.message.replace('job', 'mass payment') })

/** Who names no tenant has none. */
export const ownedBy = (tenant: string) => (tenant === '' ? {} : { tenant })

/** The UUID that these parts always give. */
export function idOf(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  const cuts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`]
  return [...cuts, hex.slice(20, 32)].join('-')
}
