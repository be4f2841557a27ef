import { statSync } from 'node:fs'
import type { Bytes } from '../../base/json.ts'
import type { Batch } from '../../job/batch.ts'
import type { Attempt, Job, JobId, LogLine, Mail, Step } from '../../job/job.ts'
import type { RateRow } from '../../job/rate.ts'
import { STATES } from '../../job/state.ts'
import { AHEAD_MAX } from '../contract.ts'
import type {
  Audited,
  BatchPage,
  Copied,
  Filter,
  Finding,
  Kept,
  Lookout,
  Page,
  Tally,
  Topic,
  WorkerRow,
} from '../contract.ts'
import { batchMark, batchPage } from '../parts/batches.ts'
import { readMark } from '../parts/copying.ts'
import { Cabinet } from './cabinet.ts'
import type { Connection } from './connection.ts'
import { Copying } from './copying.ts'
import {
  bytes,
  int,
  type Row,
  text,
  toArtifact,
  toAttempt,
  toJob,
  toLine,
  toMail,
  toStep,
} from './rows.ts'
import { Taking } from './taking.ts'
import { Walks } from './walk.ts'

const PRIORITIES = Array.from({ length: 10 }, (_, priority) => priority)
/** It is written back and used again from its start: so large is a sign that it cannot be. */
const JOURNAL_MB_MAX = 512
const LAWS = [
  'accounting',
  'counters',
  'receipts',
  'bodies',
  'policies',
  'endings',
  'uniques',
  'holders',
  'open',
  'times',
  'waiting',
  'fences',
  'leavings',
  'files',
  'subjects',
  'tallies',
  'limits',
] as const

/** Where work is seen. */
export class SqliteLookout implements Lookout {
  readonly #connection: Connection
  readonly #sql
  readonly #audits
  readonly #workers
  readonly #laws
  readonly #walks
  readonly #copying
  readonly #cabinet
  readonly #taking

  constructor(connection: Connection) {
    this.#connection = connection
    this.#sql = connection.prepare('./look.sql', [
      'find',
      'read',
      'artifacts',
      'holder',
      'ahead',
      'attempts',
      'steps',
      'mail',
      'logs',
      'tally',
      'oldest',
    ])
    this.#audits = connection.prepare('./audit.sql', ['page']).page
    this.#workers = connection.prepare('./worker.sql', ['all', 'metrics'])
    this.#laws = connection.prepare('./verify.sql', LAWS)
    this.#walks = new Walks(connection)
    this.#copying = new Copying(connection)
    this.#cabinet = new Cabinet(connection)
    this.#taking = new Taking(connection)
  }

  find(ids: readonly JobId[]): Promise<(Job | undefined)[]> {
    return this.#connection.read(() => ids.map((id) => this.#job(this.#sql.find.get(id))))
  }

  holder(tenant: string, job: string, unique: string): Promise<JobId | undefined> {
    return this.#connection.read(() => {
      const row = this.#sql.holder.get(tenant, job, unique)
      return row && text(row.id)
    })
  }

  list(filter: Filter, limit: number, cursor?: string): Promise<Page> {
    return this.#connection.read(() => {
      const { places, next } = this.#walks.page(filter, limit, cursor)
      const jobs = places.flatMap((place) => this.#job(this.#sql.read.get(place)) ?? [])
      return { jobs, ...(next !== undefined && { next }) }
    })
  }

  findBatches(ids: readonly JobId[]): Promise<(Batch | undefined)[]> {
    return this.#connection.read(() => ids.map((id) => this.#connection.batches.find(id)))
  }

  listBatches(
    { tenant }: Pick<Filter, 'tenant'>,
    limit: number,
    cursor?: string,
  ): Promise<BatchPage> {
    return this.#connection.read(() =>
      batchPage(this.#connection.batches.list(batchMark(cursor)), { tenant, limit }),
    )
  }

  copy(limit: number, cursor?: string): Promise<Copied> {
    return this.#connection.read(() => this.#copying.page(limit, readMark(cursor)))
  }

  attempts(id: JobId): Promise<Attempt[]> {
    return this.#connection.read(() => this.#sql.attempts.all(id).map(toAttempt))
  }

  steps(id: JobId): Promise<Step[]> {
    return this.#connection.read(() => this.#sql.steps.all(id).map(toStep))
  }

  mail(id: JobId): Promise<Mail[]> {
    return this.#connection.read(() => this.#sql.mail.all(id).map(toMail))
  }

  logs(id: JobId, after: number, limit: number): Promise<(LogLine & { n: number })[]> {
    return this.#connection.read(() => this.#sql.logs.all(id, after, limit).map(toLine))
  }

  entries(kind: string, which?: Parameters<Lookout['entries']>[1]): Promise<Kept> {
    const now = this.#connection.clock.now()
    return this.#connection.read(() => this.#cabinet.look(kind, now, which))
  }

  ahead(id: JobId): Promise<number> {
    return this.#connection.read(() => int(this.#sql.ahead.get(id, AHEAD_MAX)?.ahead))
  }

  audits(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<Audited[]> {
    return this.#connection.read(() =>
      this.#audits
        .all(before, limit)
        .map(({ n, at, entry }) => ({ n: int(n), at: int(at), entry: bytes(entry) })),
    )
  }

  rates(): Promise<RateRow[]> {
    const now = this.#connection.clock.now()
    return this.#connection.read(() => this.#taking.rates(now))
  }

  tally(): Promise<Tally[]> {
    return this.#connection.read(() => this.#sql.tally.all().map((row) => this.#toTally(row)))
  }

  workers(): Promise<WorkerRow[]> {
    const now = this.#connection.clock.now()
    return this.#connection.read(() => this.#workers.all.all({ now }).map(toWorker))
  }

  metrics(): Promise<Bytes[]> {
    return this.#connection.read(() => this.#workers.metrics.all().map((row) => bytes(row.metrics)))
  }

  verify(): Promise<Finding[]> {
    return this.#connection.read(() =>
      LAWS.flatMap((law) => this.#laws[law].all()).map((row) => ({
        law: text(row.law),
        detail: text(row.detail),
      })),
    )
  }

  listen(topic: Topic, ring: () => void): Disposable {
    return this.#connection.bells.listen(topic, ring)
  }

  async warnings(): Promise<string[]> {
    const journal = statSync(`${this.#connection.location}-wal`, { throwIfNoEntry: false })
    const megabytes = Math.round((journal?.size ?? 0) / 1_048_576)
    return megabytes < JOURNAL_MB_MAX
      ? []
      : [
          `the journal has ${megabytes} MB: somebody has been reading it for long, or many write at once`,
        ]
  }

  async ping(): Promise<void> {
    await this.#connection.read(() => this.#sql.tally.all())
  }

  #job(row: Row | undefined): Job | undefined {
    return row && toJob(row, this.#sql.artifacts.all(int(row.turn)).map(toArtifact))
  }

  #toTally(row: Row): Tally {
    const queue = text(row.queue)
    const [scheduled, ready, running, waiting, completed, failed, cancelled] = STATES.map((state) =>
      int(row[state]),
    )
    const oldest = PRIORITIES.flatMap(
      (priority) => this.#sql.oldest.get(queue, priority)?.oldest ?? [],
    )
    return {
      queue,
      accepted: int(row.accepted),
      erased: int(row.erased),
      scheduled: scheduled ?? 0,
      ready: ready ?? 0,
      running: running ?? 0,
      waiting: waiting ?? 0,
      completed: completed ?? 0,
      failed: failed ?? 0,
      cancelled: cancelled ?? 0,
      ...(oldest.length > 0 && { oldestReadyAt: Math.min(...oldest.map(Number)) }),
    }
  }
}

const toWorker = (row: Row): WorkerRow => ({
  id: text(row.id),
  info: bytes(row.info),
  registeredAt: int(row.registered_at),
  leaseUntil: int(row.lease_until),
  alive: row.alive === 1,
  running: int(row.running),
})
