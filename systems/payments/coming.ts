import { type Desk, FatalError, type JobView } from 'errand'
import { z } from 'zod'
import { type Backend, OddAnswer } from './backend.ts'
import { create } from './contract.ts'
import { hasBegun } from './status.ts'

const STATES = ['scheduled', 'ready', 'running', 'waiting', 'failed', 'cancelled'] as const
const PAGE = 200
/** Of each state: more are not counted one by one, nor looked for among the jobs of others. */
const PAGES = 10
/** Of those that have begun: so many are looked for in the backend; of others what their jobs tell is shown. */
const LOOKED_FOR = 500
const AT_ONCE = 50
/** And so many are opened to see what they are called. */
const OPENED = 200
const REMEMBERED = 10_000

type Wanted = { tenant: string; reference: string | undefined }
const Named = z.object({ external_reference: z.string() })

/** Whether the backend has what jobs asked for. Of one that has ended it is remembered: it asks for nothing any more. */
export class Looks {
  readonly #known = new Map<string, boolean>()

  async has(client: string, { id, rev, state }: JobView, backend: Backend): Promise<boolean> {
    const life = `${id} ${rev}`
    const known = this.#known.get(life)
    if (known !== undefined) return known
    const there = await this.#look({ client, id }, backend)
    if (state !== 'failed' && state !== 'cancelled') return there
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(life, there)
    return there
  }

  /** What the backend says oddly of one is no reason to say nothing of the others: its job tells of it. */
  async #look(which: { client: string; id: string }, backend: Backend): Promise<boolean> {
    try {
      return (await backend.find(which)) !== undefined
    } catch (error) {
      if (error instanceof FatalError || error instanceof OddAnswer) return false
      throw error
    }
  }
}

/** Mass payments of a tenant that the backend does not have (yet), the newest first; of those so called, if it is said. */
export async function comingOf(
  { tenant, reference }: Wanted,
  errand: Pick<Desk, 'list' | 'input'>,
  backend: Backend,
  looks: Looks,
): Promise<JobView[]> {
  const lists = await Promise.all(STATES.map((state) => all({ tenant, state }, errand)))
  const jobs = lists.flat().toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const begun = jobs.filter(hasBegun).slice(0, LOOKED_FOR)
  const isThere: boolean[] = []
  for (let at = 0; at < begun.length; at += AT_ONCE) {
    const some = begun.slice(at, at + AT_ONCE)
    // oxlint-disable-next-line no-await-in-loop -- the backend is asked so much at once, and no more
    isThere.push(...(await Promise.all(some.map((job) => looks.has(tenant, job, backend)))))
  }
  const there = new Set(begun.filter((_, i) => isThere[i]))
  const coming = jobs.filter((job) => !there.has(job))
  if (reference === undefined) return coming
  // What it is called rests sealed with the rest of it.
  const some = coming.slice(0, OPENED)
  const inputs = await Promise.all(some.map(({ id }) => errand.input(id, tenant).catch(() => null)))
  return some.filter((_, i) => Named.safeParse(inputs[i]).data?.external_reference === reference)
}

async function all(
  filter: { tenant: string; state: JobView['state'] },
  errand: Pick<Desk, 'list'>,
): Promise<JobView[]> {
  const found: JobView[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < PAGES; pages++) {
    // A page tells where the next begins.
    // oxlint-disable-next-line no-await-in-loop
    const page = await errand.list({ job: create.name, ...filter }, PAGE, cursor)
    found.push(...page.jobs)
    cursor = page.next
    if (cursor === undefined) break
  }
  return found
}
