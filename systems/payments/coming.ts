import { type Desk, FatalError, type JobView } from 'errand'
import { z } from 'zod'
import { listed } from '../common/listed.ts'
import { type Backend, OddAnswer } from './backend.ts'
import { create } from './contract.ts'
import { settings } from './settings.ts'
import { isEnded, waitsForWorker } from './status.ts'

const STATES = ['scheduled', 'ready', 'running', 'waiting', 'failed', 'cancelled'] as const
/** Of each state: more are not counted one by one. */
const LISTED = 2000
/** So many are looked for in the backend at a time; more are taken for missing until their turn comes. */
const LOOKED_FOR = 50
/** And so many are opened to see what they are called. */
const OPENED = 200
const REMEMBERED = 100_000

type Wanted = { tenant: string; reference: string | undefined }
type Errand = Pick<Desk, 'list' | 'input'>
const Named = z.object({ external_reference: z.string() })

/** Mass payments that have a job, and that the backend does not have (yet). */
export class Coming {
  readonly #errand: Errand
  readonly #backend: Backend
  /** Those that the backend has been seen to have. */
  readonly #there = new Set<string>()
  /** Ends after which it will not have them any more. */
  readonly #absent = new Set<string>()

  constructor(errand: Errand, backend: Backend) {
    this.#errand = errand
    this.#backend = backend
  }

  /** Those of a tenant, the newest first; of those so called, if it is said. */
  async of({ tenant, reference }: Wanted): Promise<JobView[]> {
    const lists = await Promise.all(
      STATES.map((state) => listed(this.#errand, { job: create.name, tenant, state }, LISTED)),
    )
    // Who changes its state meanwhile may be met twice.
    const all = new Map(lists.flat().map((job) => [job.id, job]))
    const jobs = [...all.values()]
      .filter((job) => !this.isThere(job))
      .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    const called = reference === undefined ? jobs : await this.#called(reference, jobs, tenant)
    await this.#look(called, tenant)
    return called.filter((job) => !this.isThere(job))
  }

  isThere({ id, progress }: JobView): boolean {
    return this.#there.has(id) || ['processing', 'processed'].includes(progress?.status ?? '')
  }

  learn(ids: readonly string[]): void {
    for (const id of ids) remember(this.#there, id)
  }

  /** What has ended comes first: of that one look tells for good. */
  async #look(jobs: readonly JobView[], tenant: string): Promise<void> {
    const unsure = jobs.filter(
      (job) => !waitsForWorker(job) && !wasRefused(job) && !this.#absent.has(endOf(job)),
    )
    const first = [...unsure.filter(isEnded), ...unsure.filter((job) => !isEnded(job))]
    await Promise.all(first.slice(0, LOOKED_FOR).map((job) => this.#lookFor(job, tenant)))
  }

  async #lookFor(job: JobView, client: string): Promise<void> {
    try {
      const seen = await this.#backend.see({ client, id: job.id })
      if (seen) this.learn([job.id])
      else if (isOver(job)) remember(this.#absent, endOf(job))
    } catch (error) {
      // What is wrong with one takes nothing from the others.
      if (!(error instanceof OddAnswer || error instanceof FatalError)) throw error
    }
  }

  /** What it is called rests sealed with the rest of it. */
  async #called(name: string, jobs: readonly JobView[], tenant: string): Promise<JobView[]> {
    const some = jobs.slice(0, OPENED)
    const inputs = await Promise.all(
      some.map(({ id }) => this.#errand.input(id, tenant).catch(() => null)),
    )
    return some.filter((_, i) => Named.safeParse(inputs[i]).data?.external_reference === name)
  }
}

/** Tried again, it has another end. */
const endOf = ({ id, endedAt }: JobView): string => `${id} ${endedAt}`

/** It was sent, and the backend would not have it. */
const wasRefused = ({ state, error, progress }: JobView): boolean =>
  state === 'failed' && error?.name === 'FatalError' && progress?.status === 'sending'

/** Nothing is on its way to the backend any more: it would have shown it by now. */
const isOver = ({ endedAt }: JobView): boolean =>
  endedAt !== undefined && Date.parse(endedAt) + settings.settleMs < Date.now()

function remember(set: Set<string>, one: string): void {
  if (set.size >= REMEMBERED) set.clear()
  set.add(one)
}
