import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { failpoint, isArmed } from '../../base/failpoint.ts'
import type { Clock, Millis } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import type { Topic } from '../contract.ts'
import type { Bells } from './bells.ts'
import { isBusy, isFault, toErrand } from './fault.ts'
import { Tallies } from './tallies.ts'
import { Told } from './told.ts'

/** What a call may use inside a transaction. What it asks for `after` happens once that has committed. */
export type Turn = {
  readonly now: Millis
  readonly tallies: Tallies
  readonly told: Told
  /** Keys of limits whose places or lines have changed. */
  readonly freed: Set<string>
  /** What keys count, as far as it was looked at in this turn. */
  readonly keys: Map<string, KeyCounts>
  ring(topic: Topic): void
  after(act: () => void): void
}

type Counts = { places: number; pending: number }
export type KeyCounts = Counts & { stored: Counts }

type Call = {
  verb: string
  attempt: (turn: Turn) => () => void
  reject: (error: unknown) => void
  alone: boolean
}

const CALLS_MAX = 500

/**
 * One transaction for all calls of a turn of the event loop: a lone call goes at once, a hundred share
 * one commit. SQLite's own wait for a lock would block the loop and starve others, so a taken lock is
 * tried again from a timer.
 */
export class Turns {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #bells: Bells
  readonly #file: string
  readonly #busyMs: Millis
  readonly #tallies: Tallies
  readonly #told = new Told()
  readonly #freed = new Set<string>()
  readonly #keys = new Map<string, KeyCounts>()
  readonly #last: (turn: Turn) => void
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #committed: () => void
  #calls: Call[] = []
  #due = false

  constructor(
    db: DatabaseSync,
    parts: {
      clock: Clock
      bells: Bells
      file: string
      busyMs: Millis
      committed: () => void
      last: (turn: Turn) => void
    },
  ) {
    this.#db = db
    this.#clock = parts.clock
    this.#bells = parts.bells
    this.#file = parts.file
    this.#busyMs = parts.busyMs
    this.#committed = parts.committed
    this.#tallies = new Tallies(db)
    this.#last = parts.last
    this.#begin = db.prepare('begin immediate')
    this.#commit = db.prepare('commit')
  }

  /** `verb` names the call for whoever breaks things on purpose. */
  run<T>(verb: string, work: (turn: Turn) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // Resolved only when the transaction that did the work has committed.
    const attempt = (turn: Turn) => {
      const value = work(turn)
      return () => resolve(value)
    }
    this.#calls.push({ verb, attempt, reject, alone: false })
    this.#soon()
    return promise
  }

  #soon(): void {
    if (this.#due || this.#calls.length === 0) return
    this.#due = true
    queueMicrotask(() => this.#flush(performance.now()))
  }

  #flush(since: number): void {
    try {
      if (!this.#db.isOpen) throw new ErrandError('STORE_CLOSED', {})
      this.#begin.run()
    } catch (error) {
      const waitedMs = Math.round(performance.now() - since)
      if (isBusy(error) && waitedMs < this.#busyMs)
        return void setTimeout(() => this.#flush(since), 1 + Math.random() * 2)
      this.#due = false
      const refusal = isBusy(error)
        ? new ErrandError('STORE_BUSY', { waitedMs }, { cause: error })
        : toErrand(error, this.#file)
      for (const call of this.#calls.splice(0)) call.reject(refusal)
      return
    }
    this.#due = false
    this.#transact(this.#next())
    this.#soon()
  }

  /** Calls that failed in company are tried alone, so that one refused call never harms its neighbours. */
  #next(): Call[] {
    const company = this.#calls.findIndex((call) => call.alone)
    return this.#calls.splice(0, company === -1 ? CALLS_MAX : Math.max(1, company))
  }

  #transact(calls: Call[]): void {
    const rung = new Set<Topic>()
    const acts: (() => void)[] = []
    const turn: Turn = {
      now: this.#clock.now(),
      tallies: this.#tallies,
      told: this.#told,
      freed: this.#freed,
      keys: this.#keys,
      ring: (topic) => rung.add(topic),
      after: (act) => acts.push(act),
    }
    try {
      acts.push(...calls.map((call) => call.attempt(turn)))
      this.#last(turn)
      this.#tallies.write()
      pass(calls, 'before_commit')
      this.#commit.run()
    } catch (error) {
      return this.#undo(calls, error)
    }
    pass(calls, 'after_commit')
    // Committed: from here on nothing may be answered as refused.
    for (const act of acts) act()
    this.#bells.ring(rung)
    this.#committed()
  }

  #undo(calls: Call[], error: unknown): void {
    this.#tallies.clear()
    this.#told.take()
    this.#freed.clear()
    this.#keys.clear()
    if (this.#db.isTransaction) this.#db.exec('rollback')
    if (calls.length === 1 || isFault(error))
      for (const call of calls) call.reject(toErrand(error, this.#file))
    else this.#calls.unshift(...calls.map((call) => ({ ...call, alone: true })))
  }
}

function pass(calls: readonly Call[], moment: 'before_commit' | 'after_commit'): void {
  if (isArmed()) for (const { verb } of calls) failpoint(`${verb}.${moment}`)
}
