import type { Bytes } from '../../base/json.ts'
import type { Batch } from '../../job/batch.ts'
import type { Attempt, Job, JobId, LogLine, Mail, Step } from '../../job/job.ts'
import type { RateRow } from '../../job/rate.ts'
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
import { plain } from './arrays.ts'
import { toKept, whichLook } from './cabinet.ts'
import type { Connection, Row, Values } from './connection.ts'
import { copyPage } from './copying.ts'
import {
  int,
  text,
  toArtifact,
  toAttempt,
  toBatch,
  toBytes,
  toJob,
  toLine,
  toMail,
  toStep,
  toTally,
  toWorker,
} from './rows.ts'
import { lawTexts, lookText } from './statements.ts'
import { toRate } from './taking.ts'
import { page } from './walk.ts'

/** What is asked by id, many times a second. */
const OFTEN = new Set(['find', 'artifacts', 'holder', 'tagged'])
const SNAPSHOT = 'isolation level repeatable read read only'

/** Where work is seen. */
export class PostgresLookout implements Lookout {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async find(ids: readonly JobId[]): Promise<(Job | undefined)[]> {
    const given = [plain(ids)]
    const [rows, files] = await Promise.all([
      this.#look('find', given),
      this.#look('artifacts', given),
    ])
    const byId = Map.groupBy(files, (row) => text(row.id))
    const jobs = new Map(
      rows.map((row) => [row.id, toJob(row, (byId.get(text(row.id)) ?? []).map(toArtifact))]),
    )
    return ids.map((id) => jobs.get(id))
  }

  async holder(tenant: string, job: string, unique: string): Promise<JobId | undefined> {
    const [row] = await this.#look('holder', [tenant, job, unique])
    return row && text(row.id)
  }

  async list(filter: Filter, limit: number, cursor?: string): Promise<Page> {
    const { ids, next } = await page((...call) => this.#look(...call), filter, limit, cursor)
    const jobs = await this.find(ids)
    return { jobs: jobs.flatMap((job) => job ?? []), ...(next !== undefined && { next }) }
  }

  async findBatches(ids: readonly JobId[]): Promise<(Batch | undefined)[]> {
    const rows = await this.#look('batches', [plain(ids)])
    const found = new Map(rows.map((row) => [row.id, toBatch(row)]))
    return ids.map((id) => found.get(id))
  }

  async listBatches(
    { tenant }: Pick<Filter, 'tenant'>,
    limit: number,
    cursor?: string,
  ): Promise<BatchPage> {
    const rows = await this.#look('list_batches', [batchMark(cursor)])
    const looked = rows.map((row) => ({ turn: int(row.turn), batch: toBatch(row) }))
    return batchPage(looked, { tenant, limit })
  }

  copy(limit: number, cursor?: string): Promise<Copied> {
    const { schema } = this.#connection
    return this.#connection.within(SNAPSHOT, (ask) =>
      copyPage((name, values) => ask(lookText(schema, name), values), limit, readMark(cursor)),
    )
  }

  async attempts(id: JobId): Promise<Attempt[]> {
    return (await this.#look('attempts', [id])).map(toAttempt)
  }

  async steps(id: JobId): Promise<Step[]> {
    return (await this.#look('steps', [plain([id])])).map(toStep)
  }

  async mail(id: JobId): Promise<Mail[]> {
    return (await this.#look('mail', [plain([id])])).map(toMail)
  }

  async logs(id: JobId, after: number, limit: number): Promise<(LogLine & { n: number })[]> {
    return (await this.#look('logs', [id, after, limit])).map(toLine)
  }

  async entries(kind: string, which?: Parameters<Lookout['entries']>[1]): Promise<Kept> {
    const { now } = this.#connection
    // The moment first: what came to be wanted meanwhile is among those that are due.
    const [next] = await this.#look('entries_next', [kind, now])
    return toKept(next, await this.#look(...whichLook(kind, which, now)))
  }

  async ahead(id: JobId): Promise<number> {
    const [row] = await this.#look('ahead', [id, AHEAD_MAX])
    return int(row?.ahead)
  }

  async audits(limit: number, before?: number): Promise<Audited[]> {
    const rows = await this.#look('audits', [before ?? null, limit])
    return rows.map(({ n, at, entry }) => ({ n: int(n), at: int(at), entry: toBytes(entry) }))
  }

  async rates(): Promise<RateRow[]> {
    return (await this.#look('rates', [this.#connection.now])).map(toRate)
  }

  async tally(): Promise<Tally[]> {
    return (await this.#look('tally', [])).map(toTally)
  }

  async workers(): Promise<WorkerRow[]> {
    return (await this.#look('workers', [this.#connection.now])).map(toWorker)
  }

  async metrics(): Promise<Bytes[]> {
    return (await this.#look('metrics', [])).map((row) => toBytes(row.metrics))
  }

  verify(): Promise<Finding[]> {
    return this.#connection.within(SNAPSHOT, async (ask) => {
      const findings: Finding[] = []
      for (const law of lawTexts(this.#connection.schema))
        for (const row of await ask(law))
          findings.push({ law: text(row.law), detail: text(row.detail) })
      return findings
    })
  }

  listen(topic: Topic, ring: () => void): Disposable {
    return this.#connection.bells.listen(topic, ring)
  }

  async warnings(): Promise<string[]> {
    return (await this.#look('warnings', [this.#connection.now])).map((row) => text(row.warning))
  }

  async ping(): Promise<void> {
    await this.#look('ping', [])
  }

  #look(name: string, values: Values): Promise<Row[]> {
    const text = lookText(this.#connection.schema, name)
    return this.#connection.look(text, values, OFTEN.has(name) ? name : undefined)
  }
}
