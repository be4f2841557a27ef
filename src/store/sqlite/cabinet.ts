import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import {
  type Change,
  DUE_MAX,
  ENTRIES_MAX,
  type Entry,
  type Kept,
  type Lookout,
  PAUSE,
  type Put,
} from '../contract.ts'
import { isSooner } from '../parts/entries.ts'
import type { Connection } from './connection.ts'
import { Inserting } from './inserting.ts'
import { bytes, int, type Row, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** What is kept under names beside jobs. */
export class Cabinet {
  readonly #sql
  readonly #inserting

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./put.sql', [
      'find',
      'count',
      'put',
      'remove',
      'all',
      'due',
      'next',
    ])
    this.#inserting = new Inserting(connection)
  }

  put({ kind, name, stamp, expect, value, at, jobs = [] }: Change, turn: Turn): Put {
    const row = this.#sql.find.get(kind, name)
    const there = row && toEntry(row)
    // Its jobs are in, and may have gone since.
    if (isRepeat(there, stamp, value))
      return { jobs: jobs.map(({ id }) => ({ id, joined: false })) }
    if (there?.stamp !== expect) return { refused: 'changed' }
    if (value === undefined) this.#sql.remove.run(kind, name)
    else if (there === undefined && this.#isFull(kind)) return { refused: 'full' }
    else this.#sql.put.run(kind, name, stamp, at ?? null, value)
    if (isSooner(there, value && { at })) turn.ring('entry')
    const isResumed = kind === PAUSE && value === undefined
    if (isResumed) turn.ring('ready')
    return { jobs: jobs.map((job) => this.#inserting.run(job, turn)) }
  }

  look(kind: string, now: Millis, which?: Parameters<Lookout['entries']>[1]): Kept {
    const rows =
      which === undefined
        ? this.#sql.all.all(kind)
        : which === 'due'
          ? this.#sql.due.all(kind, now, DUE_MAX)
          : this.#sql.find.all(kind, which.name)
    const at = this.#sql.next.get(kind)?.at ?? null
    return { entries: rows.map(toEntry), now, ...(at !== null && { nextAt: int(at) }) }
  }

  #isFull(kind: string): boolean {
    return int(this.#sql.count.get(kind)?.count) >= ENTRIES_MAX
  }
}

const toEntry = (row: Row): Entry => ({
  kind: text(row.kind),
  name: text(row.name),
  stamp: text(row.stamp),
  value: bytes(row.value),
  ...(row.at !== null && { at: int(row.at) }),
})

/** Whether a change was made before; what is to go has gone, whoever removed it. */
const isRepeat = (
  there: Entry | undefined,
  stamp: Change['stamp'],
  value: Bytes | undefined,
): boolean => (there === undefined ? value === undefined : there.stamp === stamp)
