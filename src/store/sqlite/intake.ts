import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Batch } from '../../job/batch.ts'
import type { JobId, NewJob } from '../../job/job.ts'
import type { Adoptee, Alias, BatchCopy } from '../../job/moving.ts'
import { isEnded } from '../../job/state.ts'
import type {
  Adopted,
  BatchChange,
  Cancel,
  Cancelled,
  Change,
  Filled,
  Erased,
  Inserted,
  Intake,
  Letter,
  Posted,
  Put,
  Retried,
  Transaction,
} from '../contract.ts'
import { readLimits } from '../parts/limits.ts'
import { refuseTransaction } from '../parts/transaction.ts'
import { Adopting } from './adopting.ts'
import { Cabinet } from './cabinet.ts'
import type { Connection } from './connection.ts'
import { Children } from './children.ts'
import { Inserting } from './inserting.ts'
import { Mailbox } from './mailbox.ts'
import { Purge } from './purge.ts'
import { Reviving } from './reviving.ts'
import { int, numberOf, stateOf, text } from './rows.ts'
import { Taking } from './taking.ts'
import type { Turn } from './turns.ts'

const READY = numberOf('ready')

/** Where work comes in. */
export class SqliteIntake implements Intake {
  readonly #turns
  readonly #inserting
  readonly #adopting
  readonly #mailbox
  readonly #reviving
  readonly #cabinet
  readonly #children
  readonly #batches
  readonly #limits
  readonly #purge
  readonly #taking
  readonly #change
  readonly #ended
  readonly #audit

  constructor(connection: Connection) {
    this.#turns = connection.turns
    this.#inserting = new Inserting(connection)
    this.#adopting = new Adopting(connection)
    this.#mailbox = new Mailbox(connection)
    this.#reviving = new Reviving(connection)
    this.#cabinet = new Cabinet(connection)
    this.#children = new Children(connection)
    this.#batches = connection.batches
    this.#limits = connection.limits
    this.#purge = new Purge(connection)
    this.#taking = new Taking(connection)
    this.#change = connection.prepare('./change.sql', ['find', 'ask', 'cancel', 'release'])
    this.#audit = connection.prepare('./audit.sql', ['add']).add
    this.#ended = connection.prepare('./exchange.sql', ['ended']).ended
  }

  async insert(jobs: readonly NewJob[], tx?: Transaction): Promise<Inserted[]> {
    refuseTransaction('SQLite', tx)
    return this.#turns.run('insert', (turn) =>
      jobs.map((job) => this.#inserting.run(job, turn, true)),
    )
  }

  cancel(cancels: readonly Cancel[]): Promise<Cancelled[]> {
    return this.#turns.run('cancel', (turn) => cancels.map((one) => this.#cancelOne(one, turn)))
  }

  retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]> {
    return this.#turns.run('retry', (turn) => ids.map((id) => this.#reviving.run(id, input, turn)))
  }

  erase(ids: readonly JobId[]): Promise<Erased[]> {
    return this.#turns.run('erase', (turn) => ids.map((id) => this.#purge.erase(id, turn)))
  }

  audit(n: number, entry: Bytes): Promise<boolean> {
    return this.#turns.run('audit', ({ now }) => {
      return this.#audit.run({ n, now, entry }).changes > 0
    })
  }

  post(letters: readonly Letter[]): Promise<Posted[]> {
    return this.#turns.run('post', (turn) => letters.map((one) => this.#mailbox.post(one, turn)))
  }

  put(changes: readonly Change[]): Promise<Put[]> {
    return this.#turns.run('put', (turn) => changes.map((one) => this.#cabinet.put(one, turn)))
  }

  adopt(
    jobs: readonly Adoptee[],
    aliases: readonly Alias[] = [],
    batches: readonly BatchCopy[] = [],
  ): Promise<Adopted[]> {
    return this.#turns.run('adopt', (turn) => this.#adopting.run(jobs, aliases, batches, turn))
  }

  changeBatch(id: JobId, change: BatchChange): Promise<Batch | undefined> {
    return this.#turns.run('changeBatch', (turn) => this.#batches.change(id, change, turn))
  }

  async fillBatch(id: JobId, items: readonly NewJob[]): Promise<Filled> {
    if (items.length === 0) return { inserted: [] }
    return this.#turns.run('fillBatch', (turn) => this.#batches.fill(id, items, turn))
  }

  hold(limit: string, ms: Millis): Promise<Millis | undefined> {
    return this.#turns.run('hold', (turn) => this.#taking.hold(limit, ms, turn))
  }

  #cancelOne({ id, outcome: { keepMs, hook, word } }: Cancel, turn: Turn): Cancelled {
    const row = this.#change.find.get(id)
    if (row === undefined) return 'gone'
    const [place, queue, state] = [int(row.turn), text(row.queue), stateOf(row.state)]
    if (isEnded(state)) return state
    turn.ring('change')
    if (state === 'running') {
      this.#change.ask.run(place)
      turn.ring('cancel')
      return 'asked'
    }
    const purgeAt = turn.now + keepMs
    this.#change.cancel.run(turn.now, purgeAt, place)
    this.#change.release.run(place)
    this.#ended.run(purgeAt, turn.now, JSON.stringify([place]))
    turn.tallies.move(queue, state, 'cancelled')
    if (row.limits !== null) {
      const limits = readLimits(text(row.limits))
      this.#limits.waits(limits, -1, turn)
      // One that is held has none.
      if (row.state === READY) this.#limits.leave(limits, turn)
      // Who stood behind it may be content with less.
      else if (row.held !== null) turn.freed.add(text(row.held))
    }
    if (row.batch !== null) turn.told.ended(text(row.batch), 'cancelled', false)
    if (hook) this.#inserting.run(hook, turn)
    if (word) this.#mailbox.tell(word, turn)
    this.#children.ask(id, turn)
    return 'cancelled'
  }
}
