import type { Limit } from '../../job/job.ts'
import { firstKey, readLimits } from '../parts/limits.ts'
import type { Connection } from './connection.ts'
import { int, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Keys of which only so many jobs may run, or wait: who has a place, and who is next. */
export class Limits {
  readonly #sql

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./limits.sql', [
      'add',
      'counts',
      'strike',
      'hold',
      'next',
      'admit',
      'pass',
    ])
  }

  /** The key of which no more may wait, if there is one. */
  full(limits: readonly Limit[]): Limit | undefined {
    return limits.find(
      ({ key, pending }) => pending !== undefined && this.#counts(key).pending >= pending,
    )
  }

  /** A job that has come, or lives again: it waits, for a place too where it needs one. */
  arrive(place: number, limits: readonly Limit[], turn: Turn): void {
    this.waits(limits, 1)
    const key = firstKey(limits)
    if (key === undefined) return
    this.#sql.hold.run(key, place)
    turn.freed.add(key)
  }

  /** One more that waits, or one fewer. */
  waits(limits: readonly Limit[], by: 1 | -1): void {
    for (const { key, pending } of limits)
      if (pending !== undefined) {
        this.#sql.add.run(key, 0, by)
        if (by < 0) this.#sql.strike.run(key)
      }
  }

  /** Gives the places of a job back. */
  leave(limits: readonly Limit[], turn: Turn): void {
    for (const { key, running } of limits)
      if (running !== undefined) {
        this.#sql.add.run(key, -1, 0)
        this.#sql.strike.run(key)
        turn.freed.add(key)
      }
  }

  /** Hands places on, of the keys whose places or lines have changed in this turn. */
  flush(turn: Turn): void {
    // A job may move to the line of another key, which is looked at after this one.
    for (const key of turn.freed) while (this.#admitOne(key, turn));
    turn.freed.clear()
  }

  #admitOne(key: string, turn: Turn): boolean {
    const next = this.#sql.next.get(key)
    if (next === undefined) return false
    const limits = readLimits(text(next.limits))
    const full = limits.find(
      (limit) => limit.running !== undefined && this.#counts(limit.key).places >= limit.running,
    )
    if (full?.key === key) return false
    if (full) {
      this.#sql.pass.run(full.key, int(next.turn))
      return true
    }
    this.#sql.admit.run(int(next.turn))
    for (const limit of limits) if (limit.running !== undefined) this.#sql.add.run(limit.key, 1, 0)
    turn.ring('ready')
    return true
  }

  #counts(key: string): { places: number; pending: number } {
    const row = this.#sql.counts.get(key)
    return row === undefined
      ? { places: 0, pending: 0 }
      : { places: int(row.places), pending: int(row.pending) }
  }
}
