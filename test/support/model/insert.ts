import type { NewJob } from '../../../src/job/job.ts'
import type { Inserted } from '../../../src/store/contract.ts'
import type { Ledger } from './ledger.ts'
import { fullKey } from './limits.ts'
import { fresh, type Row } from './row.ts'

/** A request that joined is known again for a day. */
export const ALIAS_MS = 86_400_000

/** Stores a job, or says which one it repeats (C8). `strictly`: unless as many of a key wait as may. */
export function insert(ledger: Ledger, job: NewJob, strictly = false): Inserted {
  const { id, fingerprint, unique } = job
  const same = ledger.jobs.get(id)
  // Without a fingerprint the id is its caller's own, who never heard the first answer.
  if (same)
    return same.given.fingerprint === fingerprint
      ? { id, joined: fingerprint !== undefined }
      : { id, refused: 'ID_TAKEN' }

  const alias = ledger.aliases.get(id)
  if (fingerprint !== undefined && alias?.job === id)
    return { id, refused: alias.fingerprint === fingerprint ? 'JOB_ERASED' : 'ID_TAKEN' }
  if (fingerprint !== undefined && alias && ledger.jobs.has(alias.job))
    return alias.fingerprint === fingerprint
      ? { id: alias.job, joined: true }
      : { id, refused: 'ID_TAKEN' }

  const held = holderOf(ledger, job.tenant, job.job, unique?.value)?.given.id
  if (held !== undefined) {
    if (unique?.onConflict === 'refuse') return { id: held, refused: 'UNIQUE_TAKEN' }
    if (fingerprint !== undefined)
      ledger.aliases.set(id, { job: held, fingerprint, until: ledger.now + ALIAS_MS })
    return { id: held, joined: true }
  }

  const full = strictly ? fullKey(ledger, job) : undefined
  if (full) return { id, refused: 'LIMIT_REACHED', key: full.key }

  ledger.jobs.set(id, fresh(job, ledger.nextTurn(), ledger.now))
  const counts = ledger.queues.get(job.queue) ?? { accepted: 0, erased: 0 }
  ledger.queues.set(job.queue, { ...counts, accepted: counts.accepted + 1 })
  const subject = ledger.jobs.get(job.subject ?? '')
  if (subject) subject.hooked = true
  return { id, joined: false }
}

export function holderOf(
  ledger: Ledger,
  tenant: string,
  name: string,
  value: string | undefined,
): Row | undefined {
  if (value === undefined) return undefined
  return [...ledger.jobs.values()].find(
    ({ holds, given: { tenant: whose, job, unique } }) =>
      holds && whose === tenant && job === name && unique?.value === value,
  )
}
