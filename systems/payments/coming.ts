import type { Desk, JobView } from 'errand'
import type { Backend } from './backend.ts'
import { create } from './contract.ts'
import { hasBegun } from './status.ts'

const STATES = ['scheduled', 'ready', 'running', 'waiting', 'failed', 'cancelled'] as const
const PAGE = 200
/** Of each state: more of one caller are not counted one by one. */
const MOST = 2000
/** Of those that have begun: so many are looked for in the backend. */
const LOOKED_FOR = 50

/** Mass payments of a tenant that the backend does not have (yet), the newest first. */
export async function comingOf(
  tenant: string,
  errand: Pick<Desk, 'list'>,
  backend: Backend,
): Promise<JobView[]> {
  const lists = await Promise.all(STATES.map((state) => all({ tenant, state }, errand)))
  const jobs = lists.flat().toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const begun = jobs.filter(hasBegun).slice(0, LOOKED_FOR)
  const found = await Promise.all(begun.map(({ id }) => backend.find({ client: tenant, id })))
  const missing = new Set(begun.filter((_, i) => found[i] === undefined))
  return jobs.filter((job) => !hasBegun(job) || missing.has(job))
}

async function all(
  filter: { tenant: string; state: JobView['state'] },
  errand: Pick<Desk, 'list'>,
): Promise<JobView[]> {
  const found: JobView[] = []
  let cursor: string | undefined
  do {
    // A page tells where the next begins.
    // oxlint-disable-next-line no-await-in-loop
    const page = await errand.list({ job: create.name, ...filter }, PAGE, cursor)
    found.push(...page.jobs)
    cursor = page.next
  } while (cursor !== undefined && found.length < MOST)
  return found
}
