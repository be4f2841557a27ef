import type { Millis } from '../../../src/base/time.ts'
import type { Suspension } from '../../../src/job/outcome.ts'
import { isEnded } from '../../../src/job/state.ts'
import { type Letter, MAIL_MAX, type Posted } from '../../../src/store/contract.ts'
import type { Ledger } from './ledger.ts'
import type { Row } from './row.ts'

/** Sets a job aside, or makes it ready when what it waits for is there (C14). */
export function suspend(row: Row, { for: what, wakeAt, one, all }: Suspension, now: Millis): void {
  row.expiresAt = undefined
  const has = (name: string) => row.mail.some((letter) => letter.name === name)
  const isPressing = (name: string) => row.mail.some((one) => one.name === name && one.urgent)
  const isThere =
    (wakeAt !== undefined && wakeAt <= now) ||
    one.some(has) ||
    (all.length > 0 && all.every(has)) ||
    all.some(isPressing)
  if (isThere || row.cancelAsked) {
    row.runAt = now
    return
  }
  row.state = 'waiting'
  row.waitingFor = what
  row.wakesAt = wakeAt
  row.awaits = new Map([
    ...all.filter((name) => !has(name)).map((name) => [name, true] as const),
    ...one.map((name) => [name, false] as const),
  ])
}

export function post(ledger: Ledger, { to, ifWaiting, ...letter }: Letter): Posted {
  const row = ledger.jobs.get(to)
  if (!row) return 'gone'
  const { name, key, urgent } = letter
  if (row.mail.some((other) => other.name === name && other.key === key)) return 'already'
  if (isEnded(row.state)) return row.state
  const forAll = row.state === 'waiting' ? row.awaits.get(name) : undefined
  if (ifWaiting && forAll === undefined) return 'idle'
  if (row.mail.length >= MAIL_MAX) return 'full'
  row.mail.push({ ...letter, at: ledger.now })
  if (forAll === undefined) return 'posted'
  row.awaits.delete(name)
  if (urgent || !forAll || ![...row.awaits.values()].includes(true)) wake(row, ledger.now)
  return 'posted'
}

export function wake(row: Row, at: Millis): void {
  Object.assign(row, { state: 'ready', runAt: at, waitingFor: undefined, wakesAt: undefined })
  row.rev++
}
