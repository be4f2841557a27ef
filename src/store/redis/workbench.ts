import type { Bytes } from '../../base/json.ts'
import type { Artifact, Claimed, JobId, WorkerId } from '../../job/job.ts'
import type {
  Answer,
  Claim,
  Exchanged,
  Note,
  Purged,
  Registration,
  Renewed,
  Settlement,
  Workbench,
} from '../contract.ts'
import type { Connection } from './connection.ts'
import { withKinds } from './intake.ts'
import type { Kinds } from './kinds.ts'
import { packNotes } from './notes.ts'
import { idAt, idsIn, packId, toBuffer } from './pack.ts'
import {
  bufferOf,
  damaged,
  isHook,
  kindAt,
  listOf,
  numberOf,
  toArtifact,
  toClaimed,
  toSubject,
} from './rows.ts'
import { answersIn, hooksOf, packSettlements } from './settlements.ts'
import { Workers } from './workers.ts'

const UNPARK_MAX = 1000
const LIMIT_MAX = 1000

/** Where work is done. */
export class RedisWorkbench implements Workbench {
  readonly #connection: Connection
  readonly #kinds: Kinds
  readonly #workers: Workers

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
    this.#workers = new Workers(connection)
  }

  async register({ id, leaseMs, info }: Registration): Promise<void> {
    const args = ['register', packId(id), leaseMs, toBuffer(info)]
    await this.#connection.call('worker', args, { as: 'register', again: true })
  }

  async exchange(
    worker: WorkerId,
    n: number,
    settlements: readonly Settlement[],
    { queues, limit }: Claim,
  ): Promise<Exchanged> {
    const hooks = hooksOf(settlements.map(({ outcome }) => outcome))
    return withKinds(this.#kinds, hooks, async (kinds) => {
      const packed = packSettlements(settlements, kinds)
      const args = [packId(worker), n, Math.min(limit, LIMIT_MAX), packed, ...queues]
      return this.#toExchanged(await this.#connection.call('exchange', args, { again: true }))
    })
  }

  async renew(worker: WorkerId, metrics?: Bytes): Promise<Renewed> {
    const args = ['renew', packId(worker), ...(metrics === undefined ? [] : [toBuffer(metrics)])]
    const options = { as: 'renew', again: true, apart: true }
    const asked = await this.#connection.call('worker', args, options)
    return asked === null ? { alive: false } : { alive: true, cancelAsked: idsIn(bufferOf(asked)) }
  }

  async note(worker: WorkerId, notes: readonly Note[]): Promise<Answer[]> {
    // Lines would stand there twice.
    const again = notes.every(({ log = [] }) => log.length === 0)
    const args = [packId(worker), packNotes(notes)]
    return answersIn(bufferOf(await this.#connection.call('note', args, { again })))
  }

  async sweep(worker: WorkerId, n: number, limit: number): Promise<Exchanged> {
    const args = [packId(worker), n, Math.min(limit, LIMIT_MAX)]
    return this.#toExchanged(await this.#connection.call('sweep', args, { again: true }))
  }

  async retire(worker: WorkerId): Promise<void> {
    const options = { as: 'retire', again: true }
    await this.#connection.call('worker', ['retire', packId(worker)], options)
  }

  async unpark(jobs: readonly string[]): Promise<number> {
    for (let total = 0; ;) {
      const count = numberOf(await this.#connection.call('unpark', jobs))
      total += count
      if (count < UNPARK_MAX) return total
    }
  }

  async purge(limit: number): Promise<Purged> {
    const [erased, withFiles] = listOf(await this.#connection.call('purge', [limit]))
    return { erased: numberOf(erased), withFiles: idsIn(bufferOf(withFiles)) }
  }

  async expired(limit: number): Promise<(Artifact & { id: JobId })[]> {
    const found = listOf(await this.#connection.call('files', ['expired', limit]))
    return found.map((one) => {
      const [place, packed] = listOf(one).map(bufferOf)
      if (!place || !packed) return damaged()
      return { id: idAt(place, 0), ...toArtifact(place.toString('utf8', 16), packed) }
    })
  }

  async forget(artifacts: readonly { id: JobId; file: string }[]): Promise<void> {
    const places = artifacts.map(({ id, file }) => Buffer.concat([packId(id), Buffer.from(file)]))
    await this.#connection.call('files', ['forget', ...places], { as: 'forget', again: true })
  }

  bury(fold: (metrics: readonly Bytes[]) => Bytes): Promise<number> {
    return this.#workers.bury(fold)
  }

  async #toExchanged(reply: unknown): Promise<Exchanged> {
    const [first, jobs, now, due] = listOf(reply).map(bufferOf)
    if (!first) return damaged()
    if (!jobs || !now || !due) return { refused: String(first) === 'gone' ? 'gone' : 'closed' }
    const moment = now.readUIntBE(0, 6)
    return {
      answers: answersIn(first),
      jobs: this.#toJobs(jobs) ?? (await this.#learn(jobs)),
      now: moment,
      ...(due.length > 0 && { nextDueMs: Math.max(0, due.readUIntBE(0, 6) - moment) }),
    }
  }

  /** The jobs of a reply; undefined when one is of a kind that was not met before. */
  #toJobs(reply: Buffer): Claimed[] | undefined {
    const jobs: Claimed[] = []
    for (const { id, row, subject } of recordsIn(reply)) {
      const kind = this.#kinds.kind(kindAt(row))
      if (kind === undefined) return undefined
      const job: Claimed = toClaimed(id, row, kind)
      if (subject !== undefined) job.subject = toSubject(subject)
      jobs.push(job)
    }
    return jobs
  }

  async #learn(reply: Buffer): Promise<Claimed[]> {
    await this.#kinds.load([...new Set(Array.from(recordsIn(reply), ({ row }) => kindAt(row)))])
    return this.#toJobs(reply) ?? damaged()
  }
}

/** A reply's jobs: ids, rows, and of a hook the row it looks back on. */
function* recordsIn(reply: Buffer) {
  for (let at = 0; at < reply.length;) {
    const upto = at + 24 + reply.readUInt32BE(at + 16)
    const end = upto + reply.readUInt32BE(at + 20)
    const row = reply.subarray(at + 24, upto)
    yield { id: idAt(reply, at), row, subject: isHook(row) ? reply.subarray(upto, end) : undefined }
    at = end
  }
}
