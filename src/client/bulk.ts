import type { By } from '../job/audit.ts'
import type { Files } from '../files/contract.ts'
import { ErrandError } from '../job/errors.ts'
import type { Job } from '../job/job.ts'
import { readChoice, readCount, refuseUnknown } from '../job/options.ts'
import { decideCancel } from '../job/outcome.ts'
import { type Reason, REASONS, type State } from '../job/state.ts'
import type { Cancelled, Erased, Filter, Intake, Lookout, Retried } from '../store/contract.ts'
import type { AuditLog } from './audit.ts'

/** Acting on all jobs that fit a filter, a page at a time: bounded, and to be gone on with. */

export type Act = 'retry' | 'cancel' | 'discard'

/** Which jobs: at least one of state, job, queue, tag and reason. */
export type BulkFilter = Filter & {
  /** Why a failed job failed. */
  reason?: Reason
}

export type BulkOptions = {
  /** Counts, and changes nothing. */
  dryRun?: boolean
  /** How many jobs at most; 1 000 unless said. */
  limit?: number
  /** Where an earlier call ended. */
  cursor?: string
  /** Then each page is written into the audit log, before it is done. */
  by?: By | undefined
}

export type BulkDone = {
  /** How many fitted, of those that were looked at. */
  matched: number
  done: number
  /** How many were refused, by what stood in the way: a state, `taken`, `hooked`, `filling` or `gone`. */
  refused: Record<string, number>
  /** There may be more: the cursor of the call that goes on. */
  next?: string
}

/** In which states an act finds its jobs. What moves on while they are walked is met again further on. */
const STATES: Readonly<Record<Act, readonly State[]>> = {
  retry: ['failed', 'cancelled'],
  cancel: ['scheduled', 'waiting', 'ready', 'running'],
  discard: ['failed', 'cancelled'],
}
/** Unless a state is said, what people gave up themselves is left alone. */
const UNSAID: Readonly<Record<Act, readonly State[]>> = {
  ...STATES,
  retry: ['failed'],
  discard: ['failed'],
}

const PAGE = 100
/** Jobs that do not fit are looked at too, a thousand a page: a call that finds none must end. */
const PAGES_MAX = 50
const LIMIT_MAX = 10_000
const DID = new Set<string>(['retried', 'cancelled', 'asked', 'erased'])

type Parts = {
  store: Pick<Intake, 'cancel' | 'retry' | 'erase'> & Pick<Lookout, 'list'>
  files: Pick<Files, 'removeAll'> | undefined
  log: AuditLog
}

export class Bulk {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws ErrandError INVALID_OPTION, UNKNOWN_OPTION, INVALID_QUERY */
  async run(act: Act, filter: BulkFilter, options: BulkOptions = {}): Promise<BulkDone> {
    refuseUnknown(options, ['dryRun', 'limit', 'cursor', 'by'])
    const states = readStates(act, filter)
    const limit = readCount('limit', options.limit ?? 1000, { min: 1, max: LIMIT_MAX })
    const { dryRun = false } = options
    const done: BulkDone = { matched: 0, done: 0, refused: {} }
    let at = placeIn(options.cursor, states)

    for (let pages = 0; at !== undefined; pages++) {
      if (done.matched >= limit || pages === PAGES_MAX) return { ...done, next: cursorOf(at) }
      const { reason, ...rest } = filter
      const size = Math.min(PAGE, limit - done.matched)
      const page = await this.#parts.store.list({ ...rest, state: at.state }, size, at.cursor)
      const jobs = page.jobs.filter((job) => reason === undefined || job.reason === reason)
      done.matched += jobs.length
      if (!dryRun && jobs.length > 0) count(await this.#act(act, jobs, options.by), done)
      at = after(at, page.next, states)
    }
    return done
  }

  async #act(
    act: Act,
    jobs: readonly Job[],
    by: By | undefined,
  ): Promise<(Cancelled | Retried | Erased)[]> {
    const { store, files, log } = this.#parts
    const ids = jobs.map(({ id }) => id)
    if (ids.length > 0) await log.write({ act, jobs: ids }, by)
    if (act === 'retry') return store.retry(ids)
    if (act === 'cancel') {
      const now = Date.now()
      return store.cancel(jobs.map((job) => ({ id: job.id, outcome: decideCancel(job, now) })))
    }
    const answers = await store.erase(ids)
    const gone = ids.filter((_, i) => answers[i] === 'erased')
    if (files) await Promise.all(gone.map((id) => files.removeAll(id)))
    return answers
  }
}

function count(answers: readonly string[], done: BulkDone): void {
  for (const answer of answers)
    if (DID.has(answer)) done.done++
    else done.refused[answer] = (done.refused[answer] ?? 0) + 1
}

/** Along which state the walk goes on, and from where. */
type Place = { state: State; cursor?: string }

function after(
  { state }: Place,
  next: string | undefined,
  states: readonly State[],
): Place | undefined {
  if (next !== undefined) return { state, cursor: next }
  const following = states[states.indexOf(state) + 1]
  return following && { state: following }
}

const cursorOf = ({ state, cursor = '' }: Place): string => `${state}.${cursor}`

/** @throws ErrandError INVALID_QUERY */
function placeIn(given: string | undefined, states: readonly State[]): Place | undefined {
  const [named, cursor = ''] = given?.split('.') ?? [states[0]]
  const state = states.find((one) => one === named)
  if (state !== undefined) return { state, ...(cursor !== '' && { cursor }) }
  throw new ErrandError('INVALID_QUERY', { parameter: 'cursor', problem: 'is not one of this act' })
}

/** @throws ErrandError INVALID_OPTION, UNKNOWN_OPTION */
function readStates(act: Act, filter: BulkFilter): readonly State[] {
  refuseUnknown(filter, ['state', 'job', 'queue', 'tag', 'tenant', 'reason'])
  const { tenant: _, ...said } = filter
  if (Object.keys(said).length === 0)
    throw new ErrandError('INVALID_OPTION', {
      option: 'filter',
      problem: 'needs at least one of state, job, queue, tag and reason',
    })
  if (filter.reason !== undefined) readChoice('filter.reason', filter.reason, REASONS)
  if (filter.state === undefined) return UNSAID[act]
  return [readChoice('filter.state', filter.state, STATES[act])]
}
