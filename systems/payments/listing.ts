import type { Desk, JobView } from 'errand'
import type { Backend, Search } from './backend.ts'
import { Coming } from './coming.ts'
import type { Seen } from './mass-payment.ts'
import { orUnavailable, type Sight } from './sight.ts'
import { waitsForWorker } from './status.ts'
import { toView } from './view.ts'

/** Mass payments page by page: those that wait for a worker, and then, the newest first, all others. */
export class Listing {
  readonly #backend: Backend
  readonly #sight: Sight
  readonly #coming: Coming

  constructor(errand: Pick<Desk, 'list' | 'input'>, backend: Backend, sight: Sight) {
    this.#backend = backend
    this.#sight = sight
    this.#coming = new Coming(errand, backend)
  }

  page(search: Wanted) {
    return orUnavailable(this.#page(search))
  }

  async #page({ external_reference: reference, ...search }: Wanted) {
    const { client: tenant, page, page_size: size } = search
    const coming = await this.#coming.of({ tenant, reference })
    const queued = coming.filter(waitsForWorker)
    const begun = coming.filter((job) => !waitsForWorker(job))
    const held = new Held(this.#backend, {
      ...search,
      ...(reference !== undefined && { external_reference: reference }),
    })

    const from = (page - 1) * size
    const start = Math.max(0, from - queued.length)
    const end = Math.max(0, from + size - queued.length)
    const before = await split(begun, held, start)
    const until = await split(begun, held, end)
    const payments = await held.slice(start - before, end - until)
    const total = await held.total(start - before)

    // What has come there since it was looked for stands on both sides.
    this.#coming.learn(payments.flatMap(({ mp_uuid }) => mp_uuid ?? []))
    const isMissing = (job: JobView) => !this.#coming.isThere(job)
    const rowsOf = (jobs: readonly JobView[]) => jobs.filter(isMissing).map(toRow)
    const seen = await Promise.all(payments.map((payment) => this.#toRow(payment, tenant)))
    const others = [...rowsOf(begun.slice(before, until)), ...seen].toSorted((a, b) => b.at - a.at)
    const rows = [...rowsOf(queued.slice(from, from + size)), ...others]
    return { data: rows.map(({ view }) => view), total: total + coming.filter(isMissing).length }
  }

  async #toRow(payment: Seen, tenant: string) {
    const { id = '', mp_uuid, created_at = '' } = payment
    const jobs = mp_uuid === undefined ? {} : await this.#sight.jobs(mp_uuid, tenant)
    return { at: Date.parse(created_at), view: toView(mp_uuid ?? id, { ...jobs, payment }) }
  }
}

type Wanted = Omit<Search, 'external_reference'> & { external_reference?: string | undefined }

const toRow = (job: JobView) => ({
  at: Date.parse(job.createdAt),
  view: toView(job.id, { create: job }),
})

/** How many of the jobs are among the first so many of both: halved until it is known, with a look at the backend each. */
async function split(jobs: readonly JobView[], held: Held, count: number): Promise<number> {
  let [low, high] = [0, Math.min(count, jobs.length)]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    // oxlint-disable-next-line no-await-in-loop
    const rival = await held.at(count - middle - 1)
    const isNewer =
      rival === undefined ||
      Date.parse(jobs[middle]?.createdAt ?? '') >= Date.parse(rival.created_at ?? '')
    if (isNewer) low = middle + 1
    else high = middle
  }
  return low
}

/** What the backend has, by place; no page of it is fetched twice. */
class Held {
  readonly #backend: Backend
  readonly #search: Search
  readonly #pages = new Map<number, ReturnType<Backend['list']>>()

  constructor(backend: Backend, search: Search) {
    this.#backend = backend
    this.#search = search
  }

  async at(place: number): Promise<Seen | undefined> {
    return (await this.#around(place)).data[place % this.#search.page_size]
  }

  async slice(from: number, to: number): Promise<Seen[]> {
    const places = Array.from({ length: to - from }, (_, i) => from + i)
    const seen = await Promise.all(places.map((place) => this.at(place)))
    return seen.filter((one) => one !== undefined)
  }

  async total(place: number): Promise<number> {
    return (await this.#around(place)).total
  }

  #around(place: number) {
    const page = Math.floor(place / this.#search.page_size) + 1
    const asked = this.#pages.get(page) ?? this.#backend.list({ ...this.#search, page })
    this.#pages.set(page, asked)
    return asked
  }
}
