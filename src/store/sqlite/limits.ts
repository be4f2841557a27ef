import type { Limit } from '../../job/job.ts'
import { firstKey, readLimits } from '../parts/limits.ts'
import type { Connection } from './connection.ts'
import { int, text } from './rows.ts'
import type { KeyCounts, Turn } from './turns.ts'

/** As many as are read of a line at once: see limits.sql. */
const ADMITTED_MAX = 1000

/** Keys of which only so many jobs may run, or wait: who has a place, and who is next. */
export class Limits {
  readonly #sql

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./limits.sql', [
      'write',
      'counts',
      'strike',
      'hold',
      'next',
      'admit',
      'pass',
    ])
  }

  /** The key of which no more may wait, if there is one. */
  full(limits: readonly Limit[], turn: Turn): Limit | undefined {
    return limits.find(
      ({ key, pending }) => pending !== undefined && this.#counts(key, turn).pending >= pending,
    )
  }

  /** A job that has come, or lives again: it waits, for a place too where it needs one. */
  arrive(place: number, limits: readonly Limit[], turn: Turn): void {
    this.waits(limits, 1, turn)
    const key = firstKey(limits)
    if (key === undefined) return
    this.#sql.hold.run(key, place)
    turn.freed.add(key)
  }

  /** One more that waits, or one fewer. */
  waits(limits: readonly Limit[], by: 1 | -1, turn: Turn): void {
    for (const { key, pending } of limits)
      if (pending !== undefined) this.#counts(key, turn).pending += by
  }

  /** Gives the places of a job back. */
  leave(limits: readonly Limit[], turn: Turn): void {
    for (const { key, running } of limits)
      if (running !== undefined) {
        this.#counts(key, turn).places--
        turn.freed.add(key)
      }
  }

  /** Hands places on, of the keys whose places or lines have changed in this turn. */
  admit(turn: Turn): void {
    const admitted: number[] = []
    for (const key of turn.freed)
      // What is read of the line next must not be those again.
      while (this.#admitSome(key, turn, admitted)) this.#seat(admitted.splice(0), turn)
    turn.freed.clear()
    this.#seat(admitted, turn)
  }

  #seat(admitted: readonly number[], turn: Turn): void {
    if (admitted.length === 0) return
    this.#sql.admit.run(JSON.stringify(admitted))
    turn.ring('ready')
  }

  /** Writes what a turn has counted. */
  write(turn: Turn): void {
    this.admit(turn)
    for (const [key, { places, pending, stored }] of turn.keys) {
      // As a rule who leaves makes room for the next.
      if (places === stored.places && pending === stored.pending) continue
      if (places === 0 && pending === 0) this.#sql.strike.run(key)
      else this.#sql.write.run(key, places, pending)
    }
    turn.keys.clear()
  }

  /** Finds those who have a place now. Whether there may be more of them. */
  #admitSome(key: string, turn: Turn, admitted: number[]): boolean {
    // The line is read no further than needed, and changed when that is done.
    const passed: [key: string, place: number][] = []
    let [seen, isFull] = [0, false]
    for (const { turn: place, limits: packed } of this.#sql.next.iterate(key)) {
      const limits = readLimits(text(packed))
      const lacks = ({ key, running }: Limit) =>
        running !== undefined && this.#counts(key, turn).places >= running
      // Who may stay in its line does: it keeps its turn there.
      const full = limits.find((limit) => limit.key === key && lacks(limit)) ?? limits.find(lacks)
      isFull = full?.key === key
      if (isFull) break
      seen++
      if (full) {
        passed.push([full.key, int(place)])
        continue
      }
      admitted.push(int(place))
      for (const limit of limits)
        if (limit.running !== undefined) this.#counts(limit.key, turn).places++
    }
    // No place comes back meanwhile: nobody need look at those lines for them.
    for (const [other, place] of passed) this.#sql.pass.run(other, place)
    return !isFull && seen >= ADMITTED_MAX
  }

  #counts(key: string, turn: Turn): KeyCounts {
    let counts = turn.keys.get(key)
    if (counts === undefined) {
      const row = this.#sql.counts.get(key)
      const stored = row
        ? { places: int(row.places), pending: int(row.pending) }
        : { places: 0, pending: 0 }
      counts = { ...stored, stored }
      turn.keys.set(key, counts)
    }
    return counts
  }
}
