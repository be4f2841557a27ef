import type { Bytes } from '../../base/json.ts'
import type { Adoptee, Alias, BatchCopy } from '../../job/moving.ts'
import type { Adopted } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { blobs, hex, optional, plain, texts } from './arrays.ts'
import type { Values } from './connection.ts'
import { toNewJob } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { numberOf } from './rows.ts'

const ADOPTED: readonly Adopted[] = ['adopted', 'already', 'behind', 'ID_TAKEN', 'UNIQUE_TAKEN']
export const toAdopted = (code: string): Adopted => ADOPTED[Number(code)] ?? damaged()

/** Jobs as the arrays of `adopt`, in the order of its parameters. */
export function toAdoption(
  jobs: readonly Adoptee[],
  aliases: readonly Alias[],
  batches: readonly BatchCopy[],
  kinds: Kinds,
): Values {
  const each = <T>(of: (job: Adoptee) => T | undefined) => jobs.map((job) => of(job))
  const numbers = (of: (job: Adoptee) => number | undefined) => optional(each(of), plain)
  const words = (of: (job: Adoptee) => string | undefined) => optional(each(of), texts)
  const bulks = (of: (job: Adoptee) => Bytes | undefined) => optional(each(of), blobs)
  return [
    JSON.stringify(kinds.of([...jobs, ...batches.flatMap(({ end }) => end ?? [])])),
    plain(each(({ id }) => id)),
    plain(each((job) => kinds.idOf(job))),
    plain(each(({ state }) => numberOf(state))),
    plain(each(({ priority }) => priority)),
    plain(each(({ rev }) => rev)),
    plain(each(({ fence }) => fence)),
    plain(each(({ runAt }) => runAt)),
    plain(each(({ createdAt }) => createdAt)),
    numbers(({ startedAt }) => startedAt),
    numbers(({ endedAt }) => endedAt),
    numbers(({ keptUntil }) => keptUntil),
    numbers(({ expiresAt }) => expiresAt),
    numbers(({ deadlineAt }) => deadlineAt),
    plain(each(({ failures }) => failures)),
    plain(each(({ crashes }) => crashes)),
    plain(each(({ losses }) => losses)),
    plain(each(({ cancelAsked }) => cancelAsked)),
    plain(each(({ withErrors }) => withErrors)),
    optional(
      each(({ worker }) => worker),
      plain,
    ),
    optional(
      each(({ subject }) => subject),
      plain,
    ),
    optional(
      each(({ parent }) => parent?.id),
      plain,
    ),
    words(({ parent }) => parent?.name),
    texts(each(({ queue }) => queue)),
    texts(each(({ tenant }) => tenant)),
    texts(each(({ job }) => job)),
    words(({ unique }) => unique?.value),
    words(({ unique }) => unique?.until),
    words(({ fingerprint }) => fingerprint),
    words(({ waitingFor }) => waitingFor),
    numbers(({ wakesAt }) => wakesAt),
    words(({ reason }) => reason),
    blobs(each(({ input }) => input)),
    bulks(({ result }) => result),
    bulks(({ error }) => error),
    bulks(({ progress }) => progress),
    JSON.stringify({ ...restOf(jobs, aliases), batches: batches.map((one) => toRow(one, kinds)) }),
  ]
}

const toRow = (batch: BatchCopy, kinds: Kinds) => ({
  id: batch.id,
  job: batch.job,
  tenant: batch.tenant,
  created_at: batch.createdAt,
  filled_at: batch.filledAt,
  closed_at: batch.closedAt,
  ended_at: batch.endedAt,
  keep_ms: batch.keepMs,
  stopped: batch.stopped,
  failed_max: batch.failedMax,
  fingerprint: batch.fingerprint,
  items: batch.items,
  completed: batch.completed,
  with_errors: batch.withErrors,
  failed: batch.failed,
  cancelled: batch.cancelled,
  erased: batch.erased,
  endings: batch.endings,
  ...(batch.end && { end_job: toNewJob(batch.end, kinds) }),
})

/** What few jobs have, each with the place of its job. */
function restOf(jobs: readonly Adoptee[], aliases: readonly Alias[]) {
  const placed = jobs.map((job, i) => ({ ...job, place: i + 1, item: job.place }))
  const tagged = placed.filter(({ tags }) => tags.length > 0)
  return {
    tags: Object.fromEntries(tagged.map(({ place, tags }) => [place, tags])),
    runs: placed.flatMap(({ place, attempts }) =>
      attempts.map(({ fence, worker, startedAt, endedAt, outcome, error }) => ({
        place,
        fence,
        worker,
        started_at: startedAt,
        ended_at: endedAt,
        outcome,
        ...(error && { error: `\\x${hex(error)}` }),
      })),
    ),
    lines: placed.flatMap(({ place, log }) => log.map((line, i) => ({ place, n: i + 1, ...line }))),
    steps: placed.flatMap(({ place, steps }) =>
      steps.map(({ value, ...step }, n) => ({ place, n, ...step, value: `\\x${hex(value)}` })),
    ),
    mail: placed.flatMap(({ place, mail }) =>
      mail.map(({ value, ...letter }, n) => ({ place, n, ...letter, value: `\\x${hex(value)}` })),
    ),
    awaits: placed.flatMap(({ place, awaits = { one: [], all: [] } }) => [
      ...awaits.one.map((name) => ({ place, name, for_all: false })),
      ...awaits.all.map((name) => ({ place, name, for_all: true })),
    ]),
    files: placed.flatMap(({ place, artifacts }) =>
      artifacts.map(({ expiresAt, ...file }) => ({ place, expires_at: expiresAt, ...file })),
    ),
    limits: placed.flatMap(({ place, limits }) => (limits ? [{ place, limits }] : [])),
    places: placed.flatMap(({ place, item }) =>
      item ? [{ place, batch: item.batch, item: item.index }] : [],
    ),
    drops: placed.flatMap(({ place, drops = {} }) =>
      Object.entries(drops).map(([what, at]) => ({ place, what, drop_at: at })),
    ),
    aliases: aliases.map(({ until, ...alias }) => ({ ...alias, purge_at: until })),
  }
}
