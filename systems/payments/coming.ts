import type { Desk, JobView } from 'errand'
import { z } from 'zod'
import type { Backend } from './backend.ts'
import { create } from './contract.ts'
import { hasBegun } from './status.ts'

const STATES = ['scheduled', 'ready', 'running', 'waiting', 'failed', 'cancelled'] as const
const PAGE = 200
/** Of each state: more are not counted one by one, nor looked for among the jobs of others. */
const PAGES = 10
/** Of those that have begun: so many are looked for in the backend. */
const LOOKED_FOR = 50
/** And so many are opened to see what they are called. */
const OPENED = 200

type Wanted = { tenant: string; reference: string | undefined }
const Named = z.object({ external_reference: z.string() })

/** Mass payments of a tenant that the backend does not have (yet), the newest first; of those so called, if it is said. */
export async function comingOf(
  { tenant, reference }: Wanted,
  errand: Pick<Desk, 'list' | 'input'>,
  backend: Backend,
): Promise<JobView[]> {
  const lists = await Promise.all(STATES.map((state) => all({ tenant, state }, errand)))
  const jobs = lists.flat().toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const begun = jobs.filter(hasBegun).slice(0, LOOKED_FOR)
  const found = await Promise.all(begun.map(({ id }) => backend.find({ client: tenant, id })))
  const missing = new Set(begun.filter((_, i) => found[i] === undefined))
  const coming = jobs.filter((job) => !hasBegun(job) || missing.has(job))
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
