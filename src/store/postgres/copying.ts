import type { Alias, BatchCopy, JobCopy } from '../../job/moving.ts'
import type { Copied } from '../contract.ts'
import { BATCHES_MAX, type Mark, PAGE_BYTES, RUNS_MAX, writeMark } from '../parts/copying.ts'
import { plain } from './arrays.ts'
import type { Row, Values } from './connection.ts'
import { readNewJob } from './jobs.ts'
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
} from './rows.ts'

type Look = (name: string, values: Values) => Promise<Row[]>
/** What jobs left, by their ids. */
type Left = Map<string, Row[]>

/** A page of all there is, in one snapshot. */
export async function copyPage(look: Look, limit: number, mark: Mark): Promise<Copied> {
  await look('steady', [])
  if (mark.of === 'batches') return batchesAfter(look, limit, mark.after)
  if (mark.of === 'aliases') return joined(look, limit, mark.after)
  const page = await look('page', [mark.after, limit, PAGE_BYTES])
  const last = page.at(-1)
  if (last === undefined) return joined(look, limit, '')

  const ids = page.map((row) => text(row.id))
  const given = [plain(ids)]
  const rows = await look('whole', given)
  const left: Left[] = []
  for (const name of ['lines', 'runs', 'artifacts', 'steps', 'mail', 'awaited'])
    left.push(Map.groupBy(await look(name, given), (row) => text(row.id)))
  const [lines, runs, files, steps, mail, awaited] = left
  const jobs = rows
    .toSorted((a, b) => int(a.turn) - int(b.turn))
    .map((row) => toCopy(row, { lines, runs, files, steps, mail, awaited }))
  return { jobs, aliases: [], batches: [], next: writeMark({ of: 'jobs', after: int(last.turn) }) }
}

async function joined(look: Look, limit: number, after: string): Promise<Copied> {
  const aliases = (await look('aliases', [after, limit])).map(toAlias)
  const last = aliases.at(-1)
  if (aliases.length < limit || !last) return { ...(await batchesAfter(look, limit, 0)), aliases }
  return { jobs: [], aliases, batches: [], next: writeMark({ of: 'aliases', after: last.id }) }
}

async function batchesAfter(look: Look, limit: number, after: number): Promise<Copied> {
  const most = Math.min(limit, BATCHES_MAX)
  const rows = await look('whole_batches', [after, most])
  const last = rows.length === most && rows.at(-1)
  const next = last && { next: writeMark({ of: 'batches', after: int(last.turn) }) }
  return { jobs: [], aliases: [], batches: rows.map(toBatchCopy), ...next }
}

function toBatchCopy(row: Row): BatchCopy {
  const { end_job: end, policy } = row
  return { ...toBatch(row), ...(end && { end: readNewJob(end, toBytes(policy)) }) }
}

function toCopy(
  row: Row,
  {
    lines,
    runs,
    files,
    steps,
    mail,
    awaited,
  }: { [of in 'lines' | 'runs' | 'files' | 'steps' | 'mail' | 'awaited']: Left | undefined },
): JobCopy {
  const of = (left: Left | undefined) => left?.get(text(row.id)) ?? []
  const { turn: _, unique, ...job } = toJob(row, of(files).map(toArtifact))
  return {
    ...job,
    ...(unique !== undefined && {
      unique: { value: unique, until: row.unique_until === 'kept' ? 'kept' : 'end' },
    }),
    attempts: of(runs).slice(-RUNS_MAX).map(toAttempt),
    steps: of(steps).map(toStep),
    mail: of(mail).map(toMail),
    ...(job.state === 'waiting' && toAwaits(of(awaited))),
    log: of(lines)
      .map(toLine)
      .map(({ n: __, ...line }) => line),
  }
}

/** What a job waits for that is not there. */
function toAwaits(rows: readonly Row[]): Pick<JobCopy, 'awaits'> {
  const named = (forAll: string) =>
    rows.filter((row) => row.for_all === forAll).map(({ name }) => text(name))
  return rows.length === 0 ? {} : { awaits: { one: named('f'), all: named('t') } }
}

const toAlias = (row: Row): Alias => ({
  id: text(row.id),
  job: text(row.job),
  fingerprint: text(row.fingerprint),
  until: int(row.purge_at),
})
