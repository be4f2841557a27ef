import type { Alias, JobCopy } from '../../job/moving.ts'
import type { Copied } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { type Mark, PAGE_BYTES, writeMark } from '../parts/copying.ts'
import type { Connection } from './connection.ts'
import type { Kinds } from './kinds.ts'
import { copyBatches } from './moved.ts'
import { toAwaits, toMail } from './mailing.ts'
import { toLine, toSteps } from './notes.ts'
import { idAt } from './pack.ts'
import {
  bufferOf,
  hashOf,
  kindAt,
  listOf,
  readSections,
  toArtifacts,
  toAttempt,
  toJob,
} from './rows.ts'

const JOB_PARTS = 8
const ALIAS_PARTS = 3

/** Reads all there is, a page at a time. */
export class Copying {
  readonly #connection: Connection
  readonly #kinds: Kinds

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
  }

  async page(limit: number, { of, after }: Mark): Promise<Copied> {
    if (of === 'batches') return this.#batches(limit, after)
    if (of === 'aliases') return this.#aliases(limit, Number(after))
    const [next, ...parts] = await this.#ask('jobs', after + 1, limit)
    if (next === '') return this.#aliases(limit, 0)
    const found = inParts(parts, JOB_PARTS)
    const rows = found.map(([, row]) => bufferOf(row))
    const missing = rows.filter((row) => !this.#kinds.kind(kindAt(row)))
    if (missing.length > 0) await this.#kinds.load([...new Set(missing.map(kindAt))])
    const jobs = found.map((one) => this.#toCopy(one))
    return {
      jobs,
      aliases: [],
      batches: [],
      next: writeMark({ of: 'jobs', after: Number(next) - 1 }),
    }
  }

  async #aliases(limit: number, from: number): Promise<Copied> {
    const [next, ...parts] = await this.#ask('aliases', from, limit)
    const aliases = inParts(parts, ALIAS_PARTS).map(toAlias)
    if (next === '') return { ...(await this.#batches(limit, 0)), aliases }
    return { jobs: [], aliases, batches: [], next: writeMark({ of: 'aliases', after: next }) }
  }

  async #batches(limit: number, from: number): Promise<Copied> {
    const parts = { connection: this.#connection, kinds: this.#kinds }
    const { batches, next } = await copyBatches(from, limit, parts)
    const going = next !== undefined && { next: writeMark({ of: 'batches', after: next }) }
    return { jobs: [], aliases: [], batches, ...going }
  }

  async #ask(of: Mark['of'], from: number, limit: number): Promise<[string, ...unknown[]]> {
    const args = [of, from, limit, PAGE_BYTES]
    const reply = listOf(await this.#connection.call('copy', args, { again: true }))
    return [String(bufferOf(reply[0])), ...reply.slice(1)]
  }

  #toCopy([id, given, files, runs, lines, steps, mail, names]: readonly unknown[]): JobCopy {
    const row = bufferOf(given)
    const kind = this.#kinds.kind(kindAt(row)) ?? damaged()
    const { turn: _, unique, ...job } = toJob(idAt(bufferOf(id), 0), row, kind, toArtifacts(files))
    const awaits = toAwaits(hashOf(names))
    return {
      ...job,
      ...(unique !== undefined && {
        unique: { value: unique, until: readSections(row).has('k') ? 'kept' : 'end' },
      }),
      attempts: listOf(runs).map((run) => toAttempt(bufferOf(run))),
      steps: toSteps(hashOf(steps)),
      mail: toMail(hashOf(mail)),
      ...(awaits && job.state === 'waiting' && { awaits }),
      log: listOf(lines)
        .map((line, i) => toLine(bufferOf(line), i + 1))
        .map(({ n: __, ...line }) => line),
    }
  }
}

/** A flat reply as what belongs together. */
const inParts = (parts: readonly unknown[], size: number): unknown[][] =>
  Array.from({ length: parts.length / size }, (_, i) => parts.slice(size * i, size * (i + 1)))

function toAlias([id, value, until]: readonly unknown[]): Alias {
  const held = bufferOf(value)
  return {
    id: idAt(bufferOf(id), 0),
    job: idAt(held, 0),
    fingerprint: held.toString('utf8', 16),
    until: bufferOf(until).readUIntBE(0, 6),
  }
}
