import type { Bytes } from '../../base/json.ts'
import type { JobId } from '../../job/job.ts'
import { isEnded } from '../../job/state.ts'
import type { Retried } from '../contract.ts'
import type { Connection } from './connection.ts'
import { readLimits } from '../parts/limits.ts'
import { Limits } from './limits.ts'
import { int, stateOf, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Gives jobs that have ended another life: those that went wrong for people, any for those that called them. */
export class Reviving {
  readonly #sql
  readonly #limits

  constructor(connection: Connection) {
    this.#limits = new Limits(connection)
    this.#sql = connection.prepare('./change.sql', [
      'find',
      'ending',
      'hold',
      'free',
      'revive',
      'renewed',
      'anew',
      'unread',
      'forgive',
    ])
  }

  /** `anyEnd`: also one that completed. */
  run(id: JobId, input: Bytes | undefined, turn: Turn, anyEnd = false): Retried {
    const row = this.#sql.find.get(id)
    if (row === undefined) return 'gone'
    const [place, queue, state] = [int(row.turn), text(row.queue), stateOf(row.state)]
    if (!isEnded(state) || (state === 'completed' && !anyEnd)) return state
    // What those still say of their end would be taken for a word in its new life.
    if (!anyEnd && this.#sql.ending.get(id)) return state
    this.#sql.hold.run(place)
    if (this.#sql.free.get(place)?.free !== 1) return 'taken'
    const { held } = this.#sql.revive.get(turn.now, place) ?? {}
    if (typeof held === 'string') turn.freed.add(held)
    this.#limits.waits(readLimits(row.limits === null ? null : text(row.limits)), 1, turn)
    this.#sql.renewed.run(input ?? null, place)
    if (input) {
      this.#sql.anew.run(place)
      this.#sql.unread.run(place)
    } else this.#sql.forgive.run(place)
    turn.tallies.move(queue, state, 'ready')
    if (row.batch !== null) turn.told.ended(text(row.batch), state, row.with_errors === 1, -1)
    turn.ring('ready')
    turn.ring('change')
    return 'retried'
  }
}
