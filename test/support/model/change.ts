import type { Bytes } from '../../../src/base/json.ts'
import type { JobId } from '../../../src/job/job.ts'
import { isEnded } from '../../../src/job/state.ts'
import type { Cancel, Cancelled, Erased, Purged, Retried } from '../../../src/store/contract.ts'
import { mayCome } from './batch.ts'
import { ALIAS_MS, holderOf } from './insert.ts'
import type { Ledger } from './ledger.ts'
import { lives, type Row } from './row.ts'
import { close } from './settle.ts'

/** Ends a job that does not run; of one that does it is only asked. */
export function cancel(ledger: Ledger, { id, outcome }: Cancel): Cancelled {
  const row = ledger.jobs.get(id)
  if (!row) return 'gone'
  if (isEnded(row.state)) return row.state
  if (row.state === 'running') {
    if (!row.cancelAsked) row.rev++
    row.cancelAsked = true
    return 'asked'
  }
  row.rev++
  close(ledger, row, outcome)
  return 'cancelled'
}

/** Another life under the same id: as fresh as it was, but for its number, its history and its age. */
export function retry(ledger: Ledger, id: JobId, input: Bytes | undefined): Retried {
  const row = ledger.jobs.get(id)
  if (!row) return 'gone'
  if (row.state !== 'failed' && row.state !== 'cancelled') return row.state
  const { tenant, job, unique } = row.given
  if (holderOf(ledger, tenant, job, unique?.value)) return 'taken'
  Object.assign(row, {
    state: 'ready',
    runAt: ledger.now,
    rev: row.rev + 1,
    input: input ?? row.input,
    steps: input ? [] : row.steps,
    mail: input ? [] : row.mail.filter(({ urgent }) => !urgent),
    failures: 0,
    crashes: 0,
    losses: 0,
    cancelAsked: false,
    withErrors: false,
    startedAt: undefined,
    endedAt: undefined,
    expiresAt: undefined,
    deadlineAt: undefined,
    result: undefined,
    error: undefined,
    reason: undefined,
    progress: undefined,
    holds: unique !== undefined,
  } satisfies Partial<Row>)
  return 'retried'
}

/** Ended jobs whose time is over. One that a hook looks back on which may run goes with that hook or after it. */
export function ripe(ledger: Ledger): Row[] {
  const rows = [...ledger.jobs.values()]
  const mayRun = rows.filter(({ state }) => state !== 'completed')
  const stays = (row: Row): boolean =>
    lives(row) ||
    mayCome(ledger, row) ||
    row.keptUntil > ledger.now ||
    mayRun.some((hook) => hook.given.subject === row.given.id && stays(hook))
  return rows.filter((row) => !stays(row))
}

function remove(ledger: Ledger, { given }: Row): void {
  ledger.jobs.delete(given.id)
  const counts = ledger.queues.get(given.queue)
  if (counts) counts.erased++
}

/** Removes what has ended and is needed by nobody; a request that named its id is known for a day. */
export function erase(ledger: Ledger, id: JobId): Erased {
  const row = ledger.jobs.get(id)
  if (!row) return 'gone'
  if (!isEnded(row.state)) return row.state
  const hooks = [...ledger.jobs.values()].filter(({ given }) => given.subject === id)
  if (hooks.some(({ state }) => state !== 'completed')) return 'hooked'
  if (mayCome(ledger, row)) return 'filling'
  remove(ledger, row)
  const { fingerprint } = row.given
  const until = row.createdAt + ALIAS_MS
  if (fingerprint !== undefined && until > ledger.now)
    ledger.aliases.set(id, { job: id, fingerprint, until })
  return 'erased'
}

export function purge(ledger: Ledger, ids: readonly JobId[]): Purged {
  const rows = ids.flatMap((id) => ledger.jobs.get(id) ?? [])
  for (const row of rows) remove(ledger, row)
  for (const [id, { until }] of ledger.aliases) if (until <= ledger.now) ledger.aliases.delete(id)
  const withFiles = rows.filter(({ artifacts }) => artifacts.length > 0)
  return { erased: rows.length, withFiles: withFiles.map(({ given }) => given.id) }
}
