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
import { batchMark } from '../parts/batches.ts'
import { readMark } from '../parts/copying.ts'
import { damaged } from '../parts/damage.ts'
import { listBatches, readBatches } from './batches.ts'
import { packWhich, toKept } from './cabinet.ts'
import type { Connection } from './connection.ts'
import { warningsIn } from './greeting.ts'
import { Copying } from './copying.ts'
import { uniqueKey } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { toMail } from './mailing.ts'
import { toLine, toSteps } from './notes.ts'
import { idAt, number, packId, packIds } from './pack.ts'
import {
  bufferOf,
  hashOf,
  kindAt,
  listOf,
  numberOf,
  toArtifacts,
  toAttempt,
  toJob,
} from './rows.ts'
import { rates } from './taking.ts'
import { Verification } from './verify.ts'
import { Walks } from './walk.ts'
import { Workers } from './workers.ts'

/** Where work is seen. */
export class RedisLookout implements Lookout {
  readonly #connection: Connection
  readonly #kinds: Kinds
  readonly #walks: Walks
  readonly #workers: Workers
  readonly #copying: Copying

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
    this.#walks = new Walks(connection)
    this.#workers = new Workers(connection)
    this.#copying = new Copying(connection, kinds)
  }

  async find(ids: readonly JobId[]): Promise<(Job | undefined)[]> {
    if (ids.length === 0) return []
    const reply = listOf(await this.#connection.call('find', [packIds(ids)], { again: true }))
    const rows = ids.map((_, i) => bufferOf(reply[2 * i]))
    const missing = rows.filter((row) => row.length > 0 && !this.#kinds.kind(kindAt(row)))
    if (missing.length > 0) await this.#kinds.load([...new Set(missing.map(kindAt))])
    return rows.map((row, i) => this.#toJob(ids[i] ?? '', row, reply[2 * i + 1]))
  }

  async holder(tenant: string, job: string, unique: string): Promise<JobId | undefined> {
    await this.#connection.check()
    const key = uniqueKey(tenant, job, unique)
    const held = await this.#connection.ask('HGET', this.#connection.keys.unique, key)
    return held === null ? undefined : idAt(bufferOf(held), 0)
  }

  async list(filter: Filter, limit: number, cursor?: string): Promise<Page> {
    const { ids, next } = await this.#walks.page(filter, limit, cursor)
    const jobs = (await this.find(ids)).flatMap((job) => job ?? [])
    return { jobs, ...(next !== undefined && { next }) }
  }

  async findBatches(ids: readonly JobId[]): Promise<(Batch | undefined)[]> {
    await this.#connection.check()
    return readBatches(ids, this.#connection)
  }

  async listBatches(
    { tenant }: Pick<Filter, 'tenant'>,
    limit: number,
    cursor?: string,
  ): Promise<BatchPage> {
    await this.#connection.check()
    return listBatches({ tenant, limit, before: batchMark(cursor) }, this.#connection)
  }

  copy(limit: number, cursor?: string): Promise<Copied> {
    return this.#copying.page(limit, readMark(cursor))
  }

  async attempts(id: JobId): Promise<Attempt[]> {
    await this.#connection.check()
    const key = this.#connection.keys.attempts(packId(id))
    return listOf(await this.#connection.ask('LRANGE', key, 0, -1)).map((one) =>
      toAttempt(bufferOf(one)),
    )
  }

  async steps(id: JobId): Promise<Step[]> {
    await this.#connection.check()
    const key = this.#connection.keys.steps(packId(id))
    return toSteps(hashOf(await this.#connection.ask('HGETALL', key)))
  }

  async mail(id: JobId): Promise<Mail[]> {
    await this.#connection.check()
    const key = this.#connection.keys.mail(packId(id))
    return toMail(hashOf(await this.#connection.ask('HGETALL', key)))
  }

  async logs(id: JobId, after: number, limit: number): Promise<(LogLine & { n: number })[]> {
    await this.#connection.check()
    if (limit <= 0) return []
    const key = this.#connection.keys.logs(packId(id))
    const lines = listOf(await this.#connection.ask('LRANGE', key, after, after + limit - 1))
    return lines.map((line, i) => toLine(bufferOf(line), after + i + 1))
  }

  async entries(kind: string, which?: Parameters<Lookout['entries']>[1]): Promise<Kept> {
    const args = [kind, ...packWhich(which)]
    return toKept(kind, which, await this.#connection.call('entries', args, { again: true }))
  }

  async ahead(id: JobId): Promise<number> {
    const args = [packId(id), number(AHEAD_MAX)]
    return numberOf(await this.#connection.call('ahead', args, { again: true }))
  }

  async audits(limit: number, before?: number): Promise<Audited[]> {
    const args = ['page', before === undefined ? '' : number(before), number(limit)]
    const found = listOf(await this.#connection.call('audit', args, { as: 'audits', again: true }))
    return found.map((one) => {
      const [n, at, entry] = listOf(one).map(bufferOf)
      return { n: Number(String(n)), at: Number(String(at)), entry: entry ?? damaged() }
    })
  }

  rates(): Promise<RateRow[]> {
    return rates(this.#connection)
  }

  async tally(): Promise<Tally[]> {
    const reply = listOf(await this.#connection.call('tally', [], { again: true }))
    return reply.map(toTally).toSorted((a, b) => (a.queue < b.queue ? -1 : 1))
  }

  workers(): Promise<WorkerRow[]> {
    return this.#workers.rows()
  }

  metrics(): Promise<Bytes[]> {
    return this.#workers.metrics()
  }

  verify(): Promise<Finding[]> {
    return new Verification(this.#connection).run()
  }

  listen(topic: Topic, ring: () => void): Disposable {
    return this.#connection.bells.listen(topic, ring)
  }

  async warnings(): Promise<string[]> {
    // INFO is answered by whoever hears it; this makes sure that it is the server that holds the store.
    await this.#connection.check()
    return warningsIn(String(await this.#connection.ask('INFO')))
  }

  ping(): Promise<void> {
    return this.#connection.check()
  }

  #toJob(id: JobId, row: Buffer, files: unknown): Job | undefined {
    if (row.length === 0) return undefined
    return toJob(id, row, this.#kinds.kind(kindAt(row)) ?? damaged(), toArtifacts(files))
  }
}

function toTally(reply: unknown): Tally {
  const [queue, oldest, counters] = listOf(reply)
  const counts = hashOf(counters)
  const count = (column: string) => Number(String(counts.get(column) ?? 0))
  const at = bufferOf(oldest)
  const [scheduled, ready, running, waiting, completed, failed, cancelled] = STATES.map((_, i) =>
    count(`${i}`),
  )
  return {
    queue: String(bufferOf(queue)),
    accepted: count('accepted'),
    erased: count('erased'),
    scheduled: scheduled ?? 0,
    ready: ready ?? 0,
    running: running ?? 0,
    waiting: waiting ?? 0,
    completed: completed ?? 0,
    failed: failed ?? 0,
    cancelled: cancelled ?? 0,
    ...(at.length > 0 && { oldestReadyAt: at.readUIntBE(0, 6) }),
  }
}
