import type { Bytes } from '../../base/json.ts'
import type { JobId, NewJob } from '../../job/job.ts'
import type { Adoptee, Alias } from '../../job/moving.ts'
import type { Adopted, Cancel, Cancelled, Inserted, Intake, Retried } from '../contract.ts'
import { toAdopted, toAdoption } from './adopting.ts'
import { blobs, hex, optional, plain, readTexts, texts } from './arrays.ts'
import type { Connection, Row } from './connection.ts'
import type { Kinds } from './kinds.ts'
import { int, text } from './rows.ts'

/** Where work comes in. */
export class PostgresIntake implements Intake {
  readonly #connection: Connection
  readonly #kinds: Kinds

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
  }

  async insert(jobs: readonly NewJob[]): Promise<Inserted[]> {
    if (jobs.length === 0) return []
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
    ])
    return answersOf(rows).map(toCancelled)
  }

  async retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]> {
    const { now, slot } = this.#connection
    const values = [now, slot, plain(ids), input ? `\\x${hex(input)}` : null]
    return answersOf(await this.#connection.call('retry', 'retry', values)).map(toRetried)
  }

  async adopt(jobs: readonly Adoptee[], aliases: readonly Alias[] = []): Promise<Adopted[]> {
    const values = [this.#connection.slot, ...toAdoption(jobs, aliases, this.#kinds)]
    const rows = await this.#connection.call('adopt', 'adopt', values, { again: true })
    return answersOf(rows).map(toAdopted)
  }

  async #insertPlain(jobs: readonly NewJob[]): Promise<Inserted[]> {
    const values = [
      this.#connection.now,
      this.#connection.slot,
      JSON.stringify(this.#kinds.of(jobs)),
      plain(jobs.map(({ id }) => id)),
      plain(jobs.map((job) => this.#kinds.idOf(job))),
      texts(jobs.map(({ queue }) => queue)),
      texts(jobs.map(({ tenant }) => tenant)),
      plain(jobs.map(({ priority }) => priority)),
      optional(
        jobs.map(({ runAt }) => runAt),
        plain,
      ),
      optional(
        jobs.map(({ delayMs }) => delayMs),
        plain,
      ),
      optional(
        jobs.map(({ expiresInMs }) => expiresInMs),
        plain,
      ),
      optional(
        jobs.map(({ deadlineMs }) => deadlineMs),
        plain,
      ),
      blobs(jobs.map(({ input }) => input)),
    ]
    const rows = await this.#connection.call('insert', 'insert', values, { again: true })
    const inserted = jobs.map(({ id }): Inserted => ({ id, joined: false }))
    for (const { place, id, verdict } of rows)
      if (verdict === 'ID_TAKEN') inserted[int(place) - 1] = { id: text(id), refused: verdict }
    return inserted
  }

  async #insertNamed(jobs: readonly NewJob[]): Promise<Inserted[]> {
    const values = [
      this.#connection.now,
      this.#connection.slot,
      JSON.stringify(this.#kinds.of(jobs)),
      JSON.stringify(jobs.map((job) => toNewJob(job, this.#kinds))),
    ]
    const rows = await this.#connection.call('insert', 'insert_jobs', values, { again: true })
    return rows.map(({ id, verdict }): Inserted =>
      verdict === 'ID_TAKEN' || verdict === 'UNIQUE_TAKEN'
        ? { id: text(id), refused: verdict }
        : { id: text(id), joined: verdict === 'joined' },
    )
  }
}

/** Nothing in it looks up another job. */
const isPlain = ({ unique, fingerprint, tags, subject }: NewJob): boolean =>
  unique === undefined && fingerprint === undefined && tags === undefined && subject === undefined

/** A job as a row of the type `new_job`, in JSON. */
export const toNewJob = (job: NewJob, kinds: Kinds) => ({
  id: job.id,
  kind: kinds.idOf(job),
  name: job.job,
  queue: job.queue,
  tenant: job.tenant,
  priority: job.priority,
  run_at: job.runAt,
  delay_ms: job.delayMs,
  expires_in_ms: job.expiresInMs,
  deadline_ms: job.deadlineMs,
  fingerprint: job.fingerprint,
  unique_value: job.unique?.value,
  unique_until: job.unique?.until,
  on_conflict: job.unique?.onConflict,
  tags: job.tags,
  subject: job.subject,
  input: `\\x${hex(job.input)}`,
})

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
  'completed',
]
const toRetried = (answer: string): Retried => RETRIED.find((one) => one === answer) ?? 'gone'
