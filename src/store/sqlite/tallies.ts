import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { STATES, type State } from '../../job/state.ts'

const COLUMNS = ['accepted', 'erased', ...STATES] as const
type Column = (typeof COLUMNS)[number]

/** The counters of each queue, gathered over a turn and written once before it commits. */
export class Tallies {
  readonly #write: StatementSync
  #queues = new Map<string, Record<Column, number>>()

  constructor(db: DatabaseSync) {
    const add = COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`)
    this.#write = db.prepare(
      `insert into tally (queue, ${COLUMNS.join(', ')}) values (?${', ?'.repeat(COLUMNS.length)})
       on conflict (queue) do update set ${add.join(', ')}`,
    )
  }

  add(queue: string, column: Column, count = 1): void {
    let counts = this.#queues.get(queue)
    if (counts === undefined) {
      counts = {
        accepted: 0,
        erased: 0,
        scheduled: 0,
        ready: 0,
        running: 0,
        waiting: 0,
        completed: 0,
        failed: 0,
        cancelled: 0,
      }
      this.#queues.set(queue, counts)
    }
    counts[column] += count
  }

  move(queue: string, from: State, to: State, count = 1): void {
    this.add(queue, from, -count)
    this.add(queue, to, count)
  }

  /** The queues in which more came to a column than left it, since counters were written. */
  risen(column: Column): string[] {
    return [...this.#queues].filter(([, counts]) => counts[column] > 0).map(([queue]) => queue)
  }

  write(): void {
    for (const [queue, counts] of this.#queues)
      this.#write.run(queue, ...COLUMNS.map((column) => counts[column]))
    this.clear()
  }

  clear(): void {
    this.#queues.clear()
  }
}
