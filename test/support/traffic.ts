import { setTimeout as sleep } from 'node:timers/promises'
import { type Definition, defineJob } from '../../src/job/define.ts'
import type { JobId } from '../../src/job/job.ts'
import { isEnded } from '../../src/job/state.ts'
import { type Errand, open } from '../../src/open.ts'
import { chore } from './jobs.ts'
import { anything } from './schema.ts'
import { eventually } from './until.ts'

const CALLERS = 3
const PACE_MS = 10
/** Of so many jobs some are on their way whenever something breaks. */
const FLOW = 50
const FIND_MAX = 500

/** Callers that hand in one job after another, and a worker on lines of its own, whatever befalls their store. */
export class Traffic implements AsyncDisposable {
  readonly accepted: JobId[] = []
  /** What callers and the worker were told when it was not what they hoped for. */
  readonly refusals: unknown[] = []
  readonly complaints: unknown[] = []
  readonly errand: Errand
  readonly #workplace: Errand
  readonly #runs = new Map<JobId, number>()
  readonly #over = new AbortController()
  #calling: Promise<unknown> = Promise.resolve()
  #rung = 0

  private constructor(errand: Errand, workplace: Errand) {
    this.errand = errand
    this.#workplace = workplace
  }

  static async open(url: string): Promise<Traffic> {
    const traffic = new Traffic(await open(url), await open(url))
    await traffic.#begin()
    return traffic
  }

  /** Resolves once many jobs that were handed in from now on have run. */
  async flows(): Promise<void> {
    const from = this.accepted.length
    await eventually(
      () => this.accepted.slice(from).filter((id) => this.#runs.has(id)).length >= FLOW,
    )
  }

  /** Sends callers home and has all be done. Tells what is gone, and what ran more than once. */
  async end(): Promise<{ lost: JobId[]; again: JobId[] }> {
    this.#over.abort()
    await this.#calling
    const found = await eventually(async () => {
      const jobs = await Promise.all(
        chunks(this.accepted).map((ids) => this.errand.store.find(ids)),
      )
      return jobs.flat().every((job) => job === undefined || isEnded(job.state)) && jobs.flat()
    })
    return {
      lost: this.accepted.filter((_, i) => found[i] === undefined),
      again: [...this.#runs].flatMap(([id, runs]) => (runs > 1 ? [id] : [])),
    }
  }

  /** Resolves when whoever has listened all along hears of one more job. */
  async rings(): Promise<void> {
    const before = this.#rung
    await this.errand.store.insert([chore({ queue: 'elsewhere' })])
    await eventually(() => this.#rung > before)
  }

  async #begin(): Promise<void> {
    this.errand.store.listen('ready', () => void this.#rung++)
    const step = defineJob({
      name: 'step',
      input: anything<null>(),
      run: (_, { id }) => void this.#runs.set(id, (this.#runs.get(id) ?? 0) + 1),
    })
    const onError = (error: unknown) => void this.complaints.push(error)
    await this.#workplace.work({ jobs: [step] }, { onError })
    this.#calling = Promise.all(Array.from({ length: CALLERS }, () => this.#call(step)))
  }

  async #call(step: Definition): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        this.accepted.push((await this.errand.enqueue(step, null)).id)
      } catch (error) {
        this.refusals.push(error)
      }
      await sleep(PACE_MS)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#calling
    await this.#workplace[Symbol.asyncDispose]()
    await this.errand[Symbol.asyncDispose]()
  }
}

const chunks = (ids: readonly JobId[]): JobId[][] =>
  Array.from({ length: Math.ceil(ids.length / FIND_MAX) }, (_, i) =>
    ids.slice(i * FIND_MAX, (i + 1) * FIND_MAX),
  )
