import type { Millis } from '../../base/time.ts'
import { LATE_MAX_MS, type RateRow, type Take } from '../../job/rate.ts'
import { inOrder, UNUSED_MS } from '../parts/rates.ts'
import type { Connection } from './connection.ts'
import { int, type Row, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Calls that pass under limits, and limits that are closed. */
export class Taking {
  readonly #sql

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./take.sql', [
      'define',
      'known',
      'at',
      'rewind',
      'pass',
      'count',
      'trim',
      'close',
      'open',
      'rates',
      'unused',
      'forget',
    ])
  }

  run(takes: readonly Take[], { now }: Turn): Millis[] {
    return inOrder(takes, (take) => this.#one(take, now))
  }

  hold(name: string, ms: Millis, { now }: Turn): Millis | undefined {
    if (ms === 0) return this.#sql.open.run(name).changes === 0 ? undefined : 0
    this.#sql.close.run({ name, until: now + ms, now })
    return int(this.#sql.known.get(name)?.closed_until) - now
  }

  rates(now: Millis): RateRow[] {
    return this.#sql.rates.all({ now }).map((row) => toRate(row, now))
  }

  purge({ now }: Turn): void {
    for (const row of this.#sql.unused.all({ now, kept_ms: UNUSED_MS })) {
      this.#sql.trim.run(text(row.name), Number.MAX_SAFE_INTEGER)
      this.#sql.forget.run(text(row.name))
    }
  }

  #one({ limit: name, count, windowMs, n, lateMs }: Take, now: Millis): Millis {
    this.#sql.define.run({ name, count, window_ms: windowMs, now })
    const row = this.#sql.known.get(name)
    const [before, closedUntil] = [int(row?.total), row?.closed_until ?? null]
    const newest = row?.newest == null ? 0 : this.#at(name, int(row.newest), now)
    if (closedUntil !== null && int(closedUntil) > now) return int(closedUntil) - now
    const leavesAt = this.#at(name, before + n - count, now) + windowMs
    if (before + n > count && leavesAt > now) return leavesAt - now
    this.#sql.pass.run(name, before + n, Math.max(now + lateMs, newest))
    this.#sql.count.run(before + n, now, name)
    this.#sql.trim.run(name, before + n - int(row?.kept))
    return 0
  }

  /** When the call passed after which so many had; the oldest that is known where that one is forgotten. */
  #at(name: string, upto: number, now: Millis): Millis {
    const row = this.#sql.at.get(name, upto)
    if (row === undefined) return 0
    const latest = now + LATE_MAX_MS
    if (int(row.at) <= latest) return int(row.at)
    // The clock went back: those calls count from now.
    this.#sql.rewind.run({ name, at: latest })
    return latest
  }
}

const toRate = (row: Row, now: Millis): RateRow => ({
  name: text(row.name),
  ...(row.count !== null && { rate: { count: int(row.count), windowMs: int(row.window_ms) } }),
  taken: int(row.taken),
  ...(row.closed_until !== null &&
    int(row.closed_until) > now && { closedUntil: int(row.closed_until) }),
})
