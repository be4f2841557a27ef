import type { StatementSync } from 'node:sqlite'
import type { Alias, JobCopy } from '../../job/moving.ts'
import type { Copied } from '../contract.ts'
import { BATCHES_MAX, type Mark, PAGE_BYTES, RUNS_MAX, writeMark } from '../parts/copying.ts'
import type { Connection } from './connection.ts'
import {
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

/** What jobs left, by their turns. */
type Left = Map<number, Row[]>

const BULKY = ['input', 'result', 'error', 'progress', 'text', 'value'] as const

/** Reads all there is, a page at a time. */
export class Copying {
  readonly #sql
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
    this.#sql = connection.prepare('./copy.sql', [
      'jobs',
      'runs',
      'lines',
      'steps',
      'mail',
      'awaited',
      'files',
      'aliases',
    ])
  }

  page(limit: number, mark: Mark): Copied {
    if (mark.of === 'batches') return this.#batches(mark.after, limit)
    if (mark.of === 'aliases') return this.#aliases(limit, mark.after)
    const rows = this.#jobs(mark.after, limit)
    const [first, last] = [rows[0], rows.at(-1)]
    if (first === undefined || last === undefined) return this.#aliases(limit, '')

    const span = { from: int(first.turn), upto: int(last.turn) }
    const lines = gather(this.#sql.lines, span)
    const runs = gather(this.#sql.runs, span)
    const steps = gather(this.#sql.steps, span)
    const mail = gather(this.#sql.mail, span)
    const awaited = gather(this.#sql.awaited, span)
    const files = gather(this.#sql.files, span)
    const whole = rows.filter((row) => int(row.turn) <= span.upto)
    const next = writeMark({ of: 'jobs', after: span.upto })
    return {
      jobs: whole.map((row) => toCopy(row, { lines, runs, steps, mail, awaited, files })),
      aliases: [],
      batches: [],
      next,
    }
  }

  /** At least one, else as many as a page carries. */
  #jobs(after: number, limit: number): Row[] {
    const rows: Row[] = []
    let weight = 0
    for (const row of this.#sql.jobs.iterate(after, limit)) {
      rows.push(row)
      weight += weigh(row)
      if (weight > PAGE_BYTES) break
    }
    return rows
  }

  #aliases(limit: number, after: string): Copied {
    const aliases = this.#sql.aliases.all(after, limit).map(toAlias)
    const last = aliases.at(-1)
    if (aliases.length < limit || !last) return { ...this.#batches(0, limit), aliases }
    const next = writeMark({ of: 'aliases', after: last.id })
    return { jobs: [], aliases, batches: [], next }
  }

  #batches(after: number, limit: number): Copied {
    const most = Math.min(limit, BATCHES_MAX)
    const found = this.#connection.batches.copy(after, most)
    const last = found.length === most && found.at(-1)
    const batches = found.map(({ batch }) => batch)
    const next = last && { next: writeMark({ of: 'batches', after: last.turn }) }
    return { jobs: [], aliases: [], batches, ...next }
  }
}

/** Of the jobs of a span what they left; the span ends before the job that makes it too heavy. */
function gather(statement: StatementSync, span: { from: number; upto: number }): Left {
  const left: Left = new Map()
  let weight = 0
  for (const row of statement.iterate(span.from, span.upto)) {
    const turn = int(row.turn)
    const known = left.get(turn)
    if (known === undefined && weight > PAGE_BYTES && left.size > 0) {
      span.upto = turn - 1
      break
    }
    if (known) known.push(row)
    else left.set(turn, [row])
    weight += weigh(row)
  }
  return left
}

const weigh = (row: Row): number =>
  BULKY.reduce((sum, column) => {
    const value = row[column]
    const isBulk = typeof value === 'string' || value instanceof Uint8Array
    return isBulk ? sum + value.length : sum
  }, 0)

type AllLeft = Record<'lines' | 'runs' | 'steps' | 'mail' | 'awaited' | 'files', Left>

function toCopy(row: Row, { lines, runs, steps, mail, awaited, files }: AllLeft): JobCopy {
  const { turn, unique, ...job } = toJob(row, (files.get(int(row.turn)) ?? []).map(toArtifact))
  return {
    ...job,
    ...(unique !== undefined && {
      unique: { value: unique, until: row.unique_until === 'kept' ? 'kept' : 'end' },
    }),
    attempts: (runs.get(turn) ?? []).slice(-RUNS_MAX).map(toAttempt),
    steps: (steps.get(turn) ?? []).map(toStep),
    mail: (mail.get(turn) ?? []).map(toMail),
    ...(job.state === 'waiting' && toAwaits(awaited.get(turn) ?? [])),
    log: (lines.get(turn) ?? []).map(toLine).map(({ n: _, ...line }) => line),
  }
}

const toAlias = (row: Row): Alias => ({
  id: text(row.id),
  job: text(row.job),
  fingerprint: text(row.fingerprint),
  until: int(row.purge_at),
})

/** What a job waits for that is not there: of all, those that were there count no more. */
function toAwaits(rows: readonly Row[]): Pick<JobCopy, 'awaits'> {
  const named = (forAll: number) =>
    rows.filter((row) => row.for_all === forAll).map((row) => text(row.name))
  return rows.length === 0 ? {} : { awaits: { one: named(0), all: named(1) } }
}
