import { type Entry, readEntry } from '../job/audit.ts'
import { iso } from '../job/view.ts'
import type { Lookout } from '../store/contract.ts'

/** An entry of the audit log as people see it. */
export type AuditView = Entry & { n: number; at: string }

export type AuditFilter = { tenant?: string; person?: string; act?: string; job?: string }

const PAGE = 200
/** Looked at for one page, which may be short while there is a next. */
const LOOKED_AT_MAX = 1000

/** Entries that fit, the newest first; `next` is where the page after them begins. */
export async function readAudit(
  lookout: Pick<Lookout, 'audits'>,
  filter: AuditFilter,
  limit: number,
  before?: number,
): Promise<{ entries: AuditView[]; next?: number }> {
  const entries: AuditView[] = []
  let from = before
  for (let looked = 0; looked < LOOKED_AT_MAX;) {
    const page = await lookout.audits(PAGE, from)
    for (const { n, at, entry } of page) {
      from = n
      const read = readEntry(entry)
      if (fits(read, filter)) entries.push({ n, at: iso(at), ...read })
      if (entries.length >= limit) return { entries, next: n }
    }
    if (page.length < PAGE) return { entries }
    looked += page.length
  }
  return { entries, ...(from !== undefined && { next: from }) }
}

const fits = (entry: Entry, { tenant, person, act, job }: AuditFilter): boolean =>
  (tenant === undefined || entry.tenant === tenant) &&
  (person === undefined || entry.person === person) &&
  (act === undefined || entry.act === act) &&
  (job === undefined || entry.jobs.includes(job))
