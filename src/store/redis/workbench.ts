import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Batch } from '../../job/batch.ts'
import type { Artifact, Claimed, JobId, WorkerId } from '../../job/job.ts'
import type { Take } from '../../job/rate.ts'
import { broughtBy } from '../../job/outcome.ts'
import { AUDIT_MAX } from '../contract.ts'
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
import { damaged } from '../parts/damage.ts'
import { readBatches } from './batches.ts'
import type { Connection } from './connection.ts'
import { Handful } from './handful.ts'
import { withKinds } from './intake.ts'
import type { Kinds } from './kinds.ts'
import { toMail } from './mailing.ts'
import { packNotes, toSteps } from './notes.ts'
import { idAt, idsIn, number, packId, toBuffer } from './pack.ts'
import {
  bufferOf,
  followedBy,
  hashOf,
  kindAt,
  listOf,
  numberOf,
  toArtifact,
  toClaimed,
  toSubject,
} from './rows.ts'
import { answersIn, packSettlements } from './settlements.ts'
import { take } from './taking.ts'
import { Workers } from './workers.ts'

const UNPARK_MAX = 1000
const LIMIT_MAX = 1000
/** What a receipt says of each job: its turn, its id, its fence. */
const ENTRY = 28
const TURN = 6

/** Where work is done. */
export class RedisWorkbench implements Workbench {
  readonly #connection: Connection
  readonly #kinds: Kinds
  readonly #workers: Workers
  readonly #handful = new Handful()

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
    this.#workers = new Workers(connection)
  }

  async register({ id, leaseMs, info }: Registration): Promise<void> {
    const args = ['register', packId(id), number(leaseMs), toBuffer(info)]
    await this.#connection.call('worker', args, { as: 'register', again: true })
  }

  async exchange(
    worker: WorkerId,
    n: number,
    settlements: readonly Settlement[],
    { queues, limit }: Claim,
  ): Promise<Exchanged> {
    const brought = settlements.flatMap(({ outcome }) => broughtBy(outcome))
    return withKinds(this.#kinds, brought, async (kinds) => {
      const packed = packSettlements(settlements, kinds)
      const distinct = Buffer.concat([...new Set(kinds)])
      const most = Math.min(limit, this.#handful.most)
      const args = [packId(worker), ...trip(n, most), packed, distinct, ...queues]
      const reply = await this.#connection.call('exchange', args, { again: true })
      const exchanged = await this.#toExchanged(reply)
      // It was us who asked for fewer.
      const isCut = most < limit && 'jobs' in exchanged && exchanged.jobs.length === most
      return isCut ? { ...exchanged, nextDueMs: 0 } : exchanged
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
    const called = notes.flatMap(({ step, child }) => (step && child ? [child] : []))
    return withKinds(this.#kinds, called, async (kinds) => {
      const distinct = Buffer.concat([...new Set(kinds)])
      const args = [packId(worker), packNotes(notes, kinds), distinct]
      return answersIn(bufferOf(await this.#connection.call('note', args, { again })))
    })
  }

  take(takes: readonly Take[]): Promise<Millis[]> {
    return take(takes, this.#connection)
  }

  async sweep(worker: WorkerId, n: number, limit: number): Promise<Exchanged> {
    const args = [packId(worker), ...trip(n, limit)]
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

  async purge(limit: number, auditMs?: Millis): Promise<Purged> {
    await this.#connection.call('unused', [])
    const audit = auditMs === undefined ? [] : [number(auditMs), number(AUDIT_MAX)]
    const reply = await this.#connection.call('purge', [number(limit), ...audit])
    const [erased, withFiles] = listOf(reply)
    return { erased: numberOf(erased), withFiles: idsIn(bufferOf(withFiles)) }
  }

  async expired(limit: number): Promise<(Artifact & { id: JobId })[]> {
    const found = listOf(
      await this.#connection.call('files', ['expired', number(limit)], { as: 'expired' }),
    )
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

  async stoppedBatches(idleMs: Millis): Promise<Batch[]> {
    const args = ['idle', number(idleMs)]
    const ids = idsIn(
      bufferOf(await this.#connection.call('batches', args, { as: 'stoppedBatches' })),
    )
    return (await readBatches(ids, this.#connection)).flatMap((batch) => batch ?? [])
  }

  bury(fold: (metrics: readonly Bytes[]) => Bytes): Promise<number> {
    return this.#workers.bury(fold)
  }

  async #toExchanged(reply: unknown): Promise<Exchanged> {
    const [answers, now, due, receipt, rows] = listOf(reply)
    const first = bufferOf(answers)
    if (now === undefined) return { refused: String(first) === 'gone' ? 'gone' : 'closed' }
    const [moment, next, given] = [bufferOf(now).readUIntBE(0, 6), bufferOf(due), bufferOf(receipt)]
    const handed = listOf(rows)
    this.#handful.brought(given.length / ENTRY, handed)
    return {
      answers: answersIn(first),
      jobs: this.#toJobs(given, handed) ?? (await this.#learn(given, handed)),
      now: moment,
      ...(next.length > 0 && { nextDueMs: Math.max(0, next.readUIntBE(0, 6) - moment) }),
    }
  }

  /** The jobs of a reply; undefined when one is of a kind that was not met before. */
  #toJobs(receipt: Buffer, rows: readonly unknown[]): Claimed[] | undefined {
    const jobs: Claimed[] = []
    let next = 0
    for (let at = 0; at < receipt.length; at += ENTRY) {
      const row = bufferOf(rows[next++])
      const kind = this.#kinds.kind(kindAt(row))
      if (kind === undefined) return undefined
      const job: Claimed = toClaimed(idAt(receipt, at + TURN), row, kind)
      const { leavings, subject } = followedBy(row)
      if (leavings) {
        const steps = toSteps(hashOf(rows[next++]))
        if (steps.length > 0) job.steps = steps
        const mail = toMail(hashOf(rows[next++]))
        if (mail.length > 0) job.mail = mail
      }
      // The row that a hook looks back on.
      if (subject) job.subject = toSubject(rows[next++])
      jobs.push(job)
    }
    return jobs
  }

  async #learn(receipt: Buffer, rows: readonly unknown[]): Promise<Claimed[]> {
    const isRow = (part: unknown): part is Buffer => Buffer.isBuffer(part) && part.length > 0
    const kinds = rows.filter(isRow).map(kindAt)
    await this.#kinds.load([...new Set(kinds)])
    return this.#toJobs(receipt, rows) ?? damaged()
  }
}

/** The number of a trip, and how many jobs it may hand out: a call is bounded, whoever asks. */
const trip = (n: number, limit: number): [number, number] => [
  number(n),
  number(Math.min(limit, LIMIT_MAX)),
]
