import type { JobId, NewJob } from '../../job/job.ts'
import type { Connection } from './connection.ts'
import { Inserting } from './inserting.ts'
import { Reviving } from './reviving.ts'
import { int, stateOf, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Jobs that others call. */
export class Children {
  readonly #sql
  readonly #mail
  readonly #inserting
  readonly #reviving

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./change.sql', ['children', 'ask', 'stir', 'unwait', 'restore'])
    this.#mail = connection.prepare('./mail.sql', ['others', 'there'])
    this.#inserting = new Inserting(connection)
    this.#reviving = new Reviving(connection)
  }

  /** Stores a job that is called; one that has ended of which its parent knows nothing is given another life. */
  call(child: NewJob, parentPlace: number, box: string, turn: Turn): void {
    this.#inserting.run(child, turn)
    // Of an earlier child, for a parent that had another input.
    this.#mail.others.run(parentPlace, box, child.id)
    // Said already: its parent has not looked yet.
    if (this.#mail.there.get(parentPlace, box) !== undefined) return
    const revived = this.#reviving.run(child.id, undefined, turn, true)
    if (revived === 'retried') this.#sql.restore.run(child.input, child.id)
  }

  /** Asks all that a job has called to end. One that does not run is ready for whoever settles it so. */
  ask(parent: JobId, turn: Turn): void {
    for (const row of this.#sql.children.all(parent)) {
      const [place, queue, state] = [int(row.turn), text(row.queue), stateOf(row.state)]
      this.#sql.ask.run(place)
      turn.ring('change')
      if (state === 'running') turn.ring('cancel')
      if (state !== 'scheduled' && state !== 'waiting') continue
      const { held } = this.#sql.stir.get(turn.now, place) ?? {}
      if (typeof held === 'string') turn.freed.add(held)
      this.#sql.unwait.run(place)
      turn.tallies.move(queue, state, 'ready')
      turn.ring('ready')
    }
  }
}
