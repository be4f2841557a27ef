import type { Millis } from '../../../src/base/time.ts'
import type { Fence, JobId, WorkerId } from '../../../src/job/job.ts'
import type { Cancelling, Outcome } from '../../../src/job/outcome.ts'
import type { Answer, Settlement } from '../../../src/store/contract.ts'
import { insert } from './insert.ts'
import type { Ledger } from './ledger.ts'
import { suspend } from './mail.ts'
import type { Row } from './row.ts'

type Ending = Extract<Outcome, { keepMs: Millis }>

/** The running job that this worker holds under this fence, or what became of it (C3). */
export function held(
  ledger: Ledger,
  worker: WorkerId,
  id: JobId,
  fence: Fence,
): Row | Exclude<Answer, 'done'> {
  const row = ledger.jobs.get(id)
  if (!row) return 'gone'
  if (row.fence !== fence) return 'stale'
  if (row.state !== 'running') return 'already'
  return row.worker === worker ? row : 'stale'
}

/** The one exit from running. */
export function settle(
  ledger: Ledger,
  worker: WorkerId,
  { id, fence, outcome }: Settlement,
): Answer {
  const row = held(ledger, worker, id, fence)
  if (typeof row === 'string') return row
  row.rev++
  if (isAttempt(outcome)) remember(row, outcome, worker, ledger.now)
  if ('raise' in outcome && outcome.raise !== undefined) row[outcome.raise]++
  if ('keepMs' in outcome) end(ledger, row, outcome)
  else giveBack(row, outcome, ledger.now)
  return 'done'
}

/** A job whose cancel was asked is set aside nowhere: whoever takes it next ends it. */
function giveBack(row: Row, outcome: Exclude<Outcome, Ending>, now: Millis): void {
  row.state = 'ready'
  switch (outcome.to) {
    case 'ready':
      if (outcome.begun) row.expiresAt = undefined
      return
    case 'waiting':
      if ('one' in outcome) return suspend(row, outcome, now)
      if (row.cancelAsked) return
      row.state = 'waiting'
      row.waitingFor = outcome.for
      row.awaits = new Map()
      return
    case 'scheduled':
      row.error = outcome.error
      row.runAt = now
      if (outcome.delayMs <= 0 || row.cancelAsked) return
      row.state = 'scheduled'
      row.runAt = now + outcome.delayMs
  }
}

function end(ledger: Ledger, row: Row, outcome: Ending): void {
  const { now } = ledger
  row.result = outcome.to === 'completed' ? outcome.result : undefined
  row.withErrors = outcome.to === 'completed' && outcome.withErrors
  row.error = outcome.to === 'failed' ? outcome.error : undefined
  row.reason = outcome.to === 'failed' ? outcome.reason : undefined
  if (outcome.to === 'completed')
    row.artifacts = outcome.artifacts.map(({ keepMs, ...file }) => ({
      ...file,
      fence: row.fence,
      expiresAt: now + keepMs,
    }))
  close(ledger, row, outcome)
}

/** What every ending does, of a running job or not: its value is free, its hook is inserted (C12). */
export function close(ledger: Ledger, row: Row, { to, keepMs, hook }: Ending | Cancelling): void {
  row.state = to
  row.endedAt = ledger.now
  row.keptUntil = ledger.now + keepMs
  row.waitingFor = undefined
  row.wakesAt = undefined
  if (to !== 'completed' || row.given.unique?.until === 'end') row.holds = false
  if (hook) insert(ledger, hook)
}

const isAttempt = (outcome: Outcome): boolean =>
  outcome.to === 'ready' ? outcome.begun : outcome.to !== 'completed' && outcome.to !== 'waiting'

function remember(row: Row, outcome: Outcome, worker: WorkerId, now: Millis): void {
  row.attempts.push({
    fence: row.fence,
    worker,
    startedAt: row.startedAt ?? now,
    endedAt: now,
    outcome:
      'reason' in outcome ? outcome.reason : outcome.to === 'ready' ? 'released' : outcome.to,
    ...('error' in outcome && { error: outcome.error }),
  })
}
