import type { SQLOutputValue } from 'node:sqlite'
import type { WorkerId } from '../../job/job.ts'
import type { Exchanged } from '../contract.ts'
import type { Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'
import type { Handed } from './handing.ts'
import { arrays, int, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Takes over the jobs of dead workers. */
export class Sweep {
  readonly #sql
  readonly #exchange: Exchange
  readonly #batches

  constructor(connection: Connection, exchange: Exchange) {
    this.#sql = connection.prepare('./sweep.sql', [
      'entitled',
      'clamp',
      'bereave',
      'orphans',
      'orphan',
      'take',
      'close',
      'discard',
      'retire',
    ])
    this.#exchange = exchange
    this.#batches = connection.batches
  }

  run(worker: WorkerId, n: number, limit: number, turn: Turn): Exchanged {
    const standing = this.#exchange.number(worker, n)
    if (standing === 'gone' || standing === 'closed') return { refused: standing }
    if (standing === 'again')
      return { answers: [], jobs: this.#exchange.again(worker, n, turn), now: turn.now }
    // After an outage everybody renews first: who has just come back may not judge others. Workers that
    // were retired, or judged before, are anybody's.
    const { now } = turn
    this.#sql.clamp.run({ now })
    if (this.#sql.entitled.get({ worker, now })) this.#sql.bereave.run({ worker, now })
    const taken = this.#take(worker, n, limit, turn)
    return { answers: [], jobs: this.#exchange.hand(worker, n, taken, turn), now: turn.now }
  }

  retire(worker: WorkerId, turn: Turn): void {
    this.#sql.retire.run({ worker, now: turn.now })
    // Idle workers look again, and those entitled to sweep do.
    turn.ring('ready')
  }

  #take(worker: WorkerId, n: number, limit: number, turn: Turn): Handed[] {
    const taken: Handed[] = []
    const isStopped = this.#batches.stops()
    for (const receipt of this.#sql.orphans.all()) {
      if (taken.length >= limit) break
      const [owner, m] = [text(receipt.worker), int(receipt.n)]
      const running = this.#running(owner, m, text(receipt.handed))
      const some = running.slice(0, limit - taken.length)
      for (const row of some) {
        const one = this.#exchange.handing.read(row, n, turn)
        const fence = this.#exchange.handing.take(one, turn.now, isStopped)
        this.#sql.take.run(fence, worker, n, one.held.place)
        taken.push(one)
      }
      if (some.length === running.length) this.#sql.discard.run(owner, m)
      else this.#sql.close.run(some.length, owner, m)
    }
    return taken
  }

  #running(owner: WorkerId, m: number, handed: string): SQLOutputValue[][] {
    const given: [number, number][] = JSON.parse(handed)
    return given.flatMap(([place, fence]) => arrays(this.#sql.orphan, place, fence, owner, m))
  }
}
