import type { Change, Entry, Kept, Put } from '../../../src/store/contract.ts'
import { insert } from './insert.ts'
import type { Ledger } from './ledger.ts'

/** Changes an entry for whoever saw it as it stands, together with the jobs that the change brings (C18). */
export function put(ledger: Ledger, { expect, value, jobs = [], ...rest }: Change): Put {
  const key = `${rest.kind} ${rest.name}`
  const stands = ledger.entries.get(key)?.stamp
  // A removal that finds nothing is taken for a repeat, which brings nothing again.
  if (stands === undefined && value === undefined)
    return { jobs: jobs.map(({ id }) => ({ id, joined: false })) }
  if (stands !== expect) return { refused: 'changed' }
  if (value === undefined) ledger.entries.delete(key)
  else ledger.entries.set(key, { ...rest, value })
  return { jobs: jobs.map((job) => insert(ledger, job)) }
}

/** What is kept of a kind: all of it, or what wants attention, the longest wanted first. */
export function entries(ledger: Ledger, kind: string, which?: 'due'): Kept {
  const { now } = ledger
  const all = [...ledger.entries.values()].filter((entry) => entry.kind === kind)
  const wanted = all.filter(isWanted).toSorted((a, b) => a.at - b.at)
  const [first] = wanted
  const due = wanted.filter(({ at }) => at <= now)
  return { entries: which ? due : all, now, ...(first && { nextAt: first.at }) }
}

const isWanted = (entry: Entry): entry is Entry & { at: number } => entry.at !== undefined
