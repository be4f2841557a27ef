import { isDeepStrictEqual } from 'node:util'
import { ErrandError } from '../../job/errors.ts'
import type { JobCopy } from '../../job/moving.ts'
import { type State, STATES } from '../../job/state.ts'
import type { About, Lookout, Tally } from '../../store/contract.ts'

type Counts = Record<State, number>

type Seen = Lookout & { readonly about: About }

/** Jobs are taken from a store, or brought to it, only while nobody runs them. @throws ErrandError WORKERS_ALIVE */
export async function refuseWorkers(store: Seen): Promise<void> {
  const count = (await store.workers()).filter(({ alive }) => alive).length
  const { kind, location } = store.about
  if (count > 0) throw new ErrandError('WORKERS_ALIVE', { count, store: `${kind} ${location}` })
}

/** Tells whether what was read page by page is what lay there all the while, by counters. */
export class Stillness {
  readonly #before: readonly Tally[]
  readonly #seen = new Map<string, Counts>()

  private constructor(before: readonly Tally[]) {
    this.#before = before
  }

  static async begin(store: Seen): Promise<Stillness> {
    await refuseWorkers(store)
    return new Stillness(await store.tally())
  }

  /** How many jobs there were at the beginning. */
  get total(): number {
    return this.#before.reduce((sum, { accepted, erased }) => sum + accepted - erased, 0)
  }

  saw({ queue, state }: JobCopy): void {
    const counts = this.#seen.get(queue) ?? nothing()
    counts[state]++
    this.#seen.set(queue, counts)
  }

  /** @throws ErrandError WORKERS_ALIVE, JOBS_CHANGED */
  async check(store: Seen): Promise<void> {
    await refuseWorkers(store)
    const after = await store.tally()
    const [was, is] = [this.#before, after].map((tallies) => new Map(tallies.map(countsOf)))
    const queues = new Set([...this.#seen.keys(), ...(was?.keys() ?? []), ...(is?.keys() ?? [])])
    for (const queue of queues) {
      const seen = this.#seen.get(queue) ?? nothing()
      const isStill = [was, is].every((counts) =>
        isDeepStrictEqual(counts?.get(queue) ?? nothing(), seen),
      )
      if (!isStill) throw new ErrandError('JOBS_CHANGED', { queue })
    }
  }
}

function countsOf(tally: Tally): [string, Counts] {
  const counts = nothing()
  for (const state of STATES) counts[state] = tally[state]
  return [tally.queue, counts]
}

const nothing = (): Counts => ({
  scheduled: 0,
  ready: 0,
  running: 0,
  waiting: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
})
