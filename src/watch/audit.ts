import { digestOf, type Fault, type Row, type Vouch, vouchFor } from '../job/audit-chain.ts'
import { type Entry, readEntry } from '../job/audit.ts'
import type { Keyring } from '../job/seal.ts'
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

/** What a look through the whole audit log found. */
export type AuditCheck = {
  entries: number
  /** By whom entries are vouched for: by a key that is here, by one that is not, by none. */
  by: Record<Vouch['by'], number>
  /** What is not as it was written; of many the newest. */
  faults: { n: number; fault: Fault }[]
  /** Stands for the whole log up to its newest entry: noted elsewhere, it tells later whether that still is there. */
  head?: string
}

const FAULTS_MAX = 100

/**
 * Looks at every entry: whether it is what was written, and whether the one before it still stands there as it did.
 * `head` is one that was noted before.
 */
export async function checkAudit(
  lookout: Pick<Lookout, 'audits'>,
  keys: Keyring | undefined,
  head?: string,
): Promise<AuditCheck> {
  const by = { key: 0, 'unknown key': 0, 'no key': 0 }
  const check: AuditCheck = { entries: 0, by, faults: [] }
  const [noted = '', digest] = head?.split(':') ?? []
  const blame = (n: number, fault: Fault) => {
    if (check.faults.length < FAULTS_MAX) check.faults.push({ n, fault })
  }
  let newer: (Vouch & { n: number }) | undefined
  let isNotedThere = head === undefined
  /** The newest, as long as they have no mark: fine if all are from before there were marks. */
  const loose: number[] = []
  for await (const row of rowsOf(lookout)) {
    const [found, own] = [vouchFor(row, keys), digestOf(row)]
    check.entries++
    check.head ??= `${row.n}:${own}`
    by[found.by]++
    if (row.n === Number(noted)) isNotedThere = own === digest
    const isAsTold = newer?.prev === undefined || newer.prev === own
    if (newer && newer.n !== row.n + 1) blame(row.n + 1, 'missing')
    else if (found.fault === 'altered' || !isAsTold) blame(row.n, 'altered')
    if (found.fault !== 'unmarked') for (const n of loose.splice(0)) blame(n, 'unmarked')
    else if (newer?.prev === undefined && loose.length < FAULTS_MAX) loose.push(row.n)
    newer = { ...found, n: row.n }
  }
  // What was struck off by its age is older than all that is there.
  const isGone = newer === undefined || Number(noted) >= newer.n
  if (!isNotedThere && isGone) blame(Number(noted), 'missing')
  return check
}

async function* rowsOf(lookout: Pick<Lookout, 'audits'>): AsyncGenerator<Row> {
  for (let before: number | undefined; ;) {
    const page = await lookout.audits(PAGE, before)
    yield* page
    before = page.at(-1)?.n
    if (page.length < PAGE) return
  }
}
