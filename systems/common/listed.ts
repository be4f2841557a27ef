import type { Desk, JobView } from 'errand'

const PAGE = 200
const PAGES = 20

/** So many jobs of a filter, as they are listed. A page may be short where a store had to look at many others, so it goes on. */
export async function listed(
  errand: Pick<Desk, 'list'>,
  filter: Parameters<Desk['list']>[0],
  most: number,
): Promise<JobView[]> {
  const found: JobView[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < PAGES && found.length < most; pages++) {
    // A page tells where the next begins.
    // oxlint-disable-next-line no-await-in-loop
    const page = await errand.list(filter, Math.min(PAGE, most - found.length), cursor)
    found.push(...page.jobs)
    cursor = page.next
    if (cursor === undefined) break
  }
  return found
}
