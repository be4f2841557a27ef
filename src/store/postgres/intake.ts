import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Batch } from '../../job/batch.ts'
import type { JobId, NewJob } from '../../job/job.ts'
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
import { ENTRIES_MAX, MAIL_MAX } from '../contract.ts'
import type { Adoptee, Alias, BatchCopy } from '../../job/moving.ts'
import { ENDED } from '../../job/state.ts'
import { jobsOf } from '../parts/entries.ts'
import { toAdopted, toAdoption } from './adopting.ts'
import { hex, plain, readTexts } from './arrays.ts'
import { changeBatch, fillBatch } from './batches.ts'
import { toChanges, toPuts } from './cabinet.ts'
import type { Connection, Row } from './connection.ts'
import { enlist } from './enlist.ts'
import { isHeldUp } from './fault.ts'
import { isPlain, namedValues, plainValues, toInserted, toNewJob } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { int, text } from './rows.ts'
import { toWord } from './settlements.ts'
import { lookText } from './statements.ts'
import { hold } from './taking.ts'

/** Where work comes in. */
export class PostgresIntake implements Intake {
  readonly #connection: Connection
  readonly #kinds: Kinds

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
  }

  async insert(jobs: readonly NewJob[], tx?: Transaction): Promise<Inserted[]> {
    if (jobs.length === 0) return []
    if (tx !== undefined) return enlist(jobs, tx, this.#parts)
    return jobs.every(isPlain) ? this.#insertPlain(jobs) : this.#insertNamed(jobs)
  }

  async cancel(cancels: readonly Cancel[]): Promise<Cancelled[]> {
    const hooks = cancels.map(({ outcome }) => outcome.hook)
    const rows = await this.#connection.call('cancel', 'cancel', [
      this.#connection.now,
      this.#connection.slot,
      JSON.stringify(this.#kinds.of(hooks.flatMap((hook) => hook ?? []))),
      plain(cancels.map(({ id }) => id)),
      plain(cancels.map(({ outcome }) => outcome.keepMs)),
      JSON.stringify(hooks.map((hook) => (hook ? toNewJob(hook, this.#kinds) : null))),
      JSON.stringify(
        cancels.flatMap(({ outcome: { word } }, i) => (word ? [toWord(word, i + 1)] : [])),
      ),
    ])
    return answersOf(rows).map(toCancelled)
  }

  async retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]> {
    const { now, slot } = this.#connection
    const values = [now, slot, plain(ids), input ? `\\x${hex(input)}` : null]
    return answersOf(await this.#connection.call('retry', 'retry', values)).map(toRetried)
  }

  async erase(ids: readonly JobId[]): Promise<Erased[]> {
    const { now, slot } = this.#connection
    const rows = await this.#connection.call('erase', 'erase', [now, slot, plain(ids)])
    return answersOf(rows).map(toErased)
  }

  async audit(n: number, entry: Bytes): Promise<boolean> {
    const { now, schema } = this.#connection
    const rows = await this.#connection.look(lookText(schema, 'add'), [now, n, Buffer.from(entry)])
    return rows.length > 0
  }

  async post(letters: readonly Letter[]): Promise<Posted[]> {
    const said = letters.map(({ to, name, key, value, urgent = false, ifWaiting = false }) => ({
      job: to,
      name,
      key,
      urgent,
      if_waiting: ifWaiting,
      value: `\\x${hex(value)}`,
    }))
    const { now, slot } = this.#connection
    const values = [now, slot, JSON.stringify(said), MAIL_MAX]
    const rows = await this.#connection.call('post', 'post', values, { again: true })
    return answersOf(rows).map(toPosted)
  }

  async put(changes: readonly Change[]): Promise<Put[]> {
    const { now, slot } = this.#connection
    const learnt = JSON.stringify(this.#kinds.of(jobsOf(changes)))
    const values = [now, slot, learnt, toChanges(changes, this.#kinds), ENTRIES_MAX]
    return toPuts(changes, await this.#connection.call('put', 'put', values, { again: true }))
  }

  async adopt(
    jobs: readonly Adoptee[],
    aliases: readonly Alias[] = [],
    batches: readonly BatchCopy[] = [],
  ): Promise<Adopted[]> {
    const values = [this.#connection.slot, ...toAdoption(jobs, aliases, batches, this.#kinds)]
    const rows = await this.#connection.call('adopt', 'adopt', values, { again: true })
    return answersOf(rows).map(toAdopted)
  }

  changeBatch(id: JobId, change: BatchChange): Promise<Batch | undefined> {
    return changeBatch(id, change, this.#parts)
  }

  async fillBatch(id: JobId, items: readonly NewJob[]): Promise<Filled> {
    return items.length === 0 ? { inserted: [] } : fillBatch(id, items, this.#parts)
  }

  hold(limit: string, ms: Millis): Promise<Millis | undefined> {
    return hold(limit, ms, this.#connection)
  }

  get #parts() {
    return { connection: this.#connection, kinds: this.#kinds }
  }

  async #insertPlain(jobs: readonly NewJob[]): Promise<Inserted[]> {
    const values = plainValues(jobs, this.#parts)
    const rows = await this.#connection.call('insert', 'insert', values, {
      again: true,
      along: 'inserts',
    })
    const inserted = jobs.map(({ id }): Inserted => ({ id, joined: false }))
    for (const row of rows) inserted[int(row.place) - 1] = toInserted(row)
    return inserted
  }

  async #insertNamed(jobs: readonly NewJob[]): Promise<Inserted[]> {
    const values = namedValues(jobs, this.#parts)
    const send = (name: string) => this.#connection.call('insert', name, values, { again: true })
    const since = performance.now()
    try {
      return (await send('insert_jobs')).map((row) => toInserted(row))
    } catch (error) {
      if (!isHeldUp(error)) throw error
      const rows = await send('insert_around')
      return rows.map((row) => toInserted(row, Math.round(performance.now() - since)))
    }
  }
}

/** The one array that a function of ours answered with. */
export const answersOf = (rows: readonly Row[]): string[] =>
  readTexts(text(Object.values(rows[0] ?? {})[0]))

const CANCELLED: readonly Cancelled[] = ['cancelled', 'asked', 'gone', 'completed', 'failed']
const toCancelled = (answer: string): Cancelled => CANCELLED.find((one) => one === answer) ?? 'gone'

const RETRIED: readonly Retried[] = [
  'retried',
  'taken',
  'gone',
  'scheduled',
  'ready',
  'running',
  'waiting',
  ...ENDED,
]
const toRetried = (answer: string): Retried => RETRIED.find((one) => one === answer) ?? 'gone'

const ERASED: readonly Erased[] = [
  'erased',
  'hooked',
  'filling',
  'scheduled',
  'ready',
  'running',
  'waiting',
]
const toErased = (answer: string): Erased => ERASED.find((one) => one === answer) ?? 'gone'

const POSTED: readonly Posted[] = ['posted', 'already', 'idle', 'full', ...ENDED]
const toPosted = (answer: string): Posted => POSTED.find((one) => one === answer) ?? 'gone'
