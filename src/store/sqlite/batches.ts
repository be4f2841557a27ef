import { type Batch, type BatchTally, endJobOf, isOver, type Stop } from '../../job/batch.ts'
import type { JobId, NewJob } from '../../job/job.ts'
import type { BatchCopy } from '../../job/moving.ts'
import type { BatchChange, Filled } from '../contract.ts'
import type { Arrived } from '../parts/batches.ts'
import { toStop } from '../parts/damage.ts'
import { decodeJob, encodeJob } from '../parts/jobs.ts'
import type { Connection } from './connection.ts'
import { Inserting } from './inserting.ts'
import { int, type Row, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** When a batch is looked at again that is still needed. */
const NEEDED_MS = 600_000

/** Batches: what items came, what became of them, and which has ended with that. */
export class Batches {
  readonly #sql
  readonly #inserting

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./batch.sql', [
      'open',
      'find',
      'tell',
      'limit',
      'close',
      'stop',
      'end',
      'reopen',
      'stopped',
      'idle',
      'allStopped',
      'list',
      'copy',
      'adopt',
      'ripe',
      'isNeeded',
      'later',
      'erase',
    ])
    this.#inserting = new Inserting(connection)
  }

  find(id: JobId): Batch | undefined {
    const row = this.#sql.find.get(id)
    return row && toBatch(row)
  }

  /** The newest first. */
  list(before: number): Arrived[] {
    return this.#sql.list.all(before).map((row) => ({ turn: int(row.turn), batch: toBatch(row) }))
  }

  /** Whole, in the order in which they were opened. */
  copy(after: number, limit: number): { turn: number; batch: BatchCopy }[] {
    return this.#sql.copy.all(after, limit).map((row) => {
      const end = typeof row.end_job === 'string' && { end: decodeJob(row.end_job) }
      return { turn: int(row.turn), batch: { ...toBatch(row), ...end } }
    })
  }

  /** As they stood in another store. */
  adopt(batches: readonly BatchCopy[]): void {
    for (const batch of batches)
      this.#sql.adopt.run(
        batch.id,
        batch.job,
        batch.tenant,
        batch.createdAt,
        batch.filledAt,
        batch.closedAt ?? null,
        batch.endedAt ?? null,
        batch.endedAt === undefined ? null : batch.endedAt + batch.keepMs,
        batch.keepMs,
        batch.stopped ?? null,
        batch.failedMax ?? null,
        batch.fingerprint ?? null,
        batch.end ? encodeJob(batch.end) : null,
        batch.items,
        batch.completed,
        batch.withErrors,
        batch.failed,
        batch.cancelled,
        batch.erased,
        batch.endings,
      )
  }

  change(id: JobId, change: BatchChange, turn: Turn): Batch | undefined {
    // What this turn stored before must be counted in what it answers.
    this.write(turn)
    let isNews = false
    switch (change.to) {
      case 'open': {
        const { job, tenant, keepMs, failedMax = null, fingerprint = null, end } = change.batch
        const said = { id, job, tenant, now: turn.now, keep_ms: keepMs, failed_max: failedMax }
        this.#sql.open.run({ ...said, fingerprint, end_job: end ? encodeJob(end) : null })
        break
      }
      case 'closed':
        this.#sql.limit.run(change.failedMax ?? null, id)
        isNews = this.#sql.close.run(turn.now, id).changes > 0
        break
      case 'stopped':
        this.#stop(id, change.why, turn)
    }
    this.#judge(id, isNews, turn)
    return this.find(id)
  }

  fill(id: JobId, items: readonly NewJob[], turn: Turn): Filled {
    const batch = this.find(id)
    if (batch === undefined) return { refused: 'gone' }
    if (batch.closedAt !== undefined) return { refused: 'closed' }
    turn.told.came(id, 0)
    return { inserted: items.map((item) => this.#inserting.run(item, turn, true)) }
  }

  /** Tells whether the items of a batch are begun no more; looks once a batch. */
  stops(): (id: JobId) => boolean {
    const known = new Map<JobId, boolean>()
    return (id) => {
      const is = known.get(id) ?? this.#sql.stopped.get(id) !== undefined
      known.set(id, is)
      return is
    }
  }

  /** Writes what a turn has told of batches, and ends those that are over. */
  write(turn: Turn): void {
    const changes = [...turn.told.take()].toSorted(byId)
    for (const [id, { filled, ...change }] of changes)
      this.#sql.tell.run({ id, filled_at: filled ? turn.now : null, ...change })
    for (const [id, { failed }] of changes) this.#judge(id, failed > 0, turn)
  }

  stopIdle(idleMs: number, turn: Turn): Batch[] {
    this.write(turn)
    for (const row of this.#sql.idle.all(turn.now - idleMs)) {
      this.#stop(text(row.id), 'unclosed', turn)
      this.#judge(text(row.id), false, turn)
    }
    return this.#sql.allStopped.all().map(toBatch)
  }

  purge(turn: Turn): void {
    for (const row of this.#sql.ripe.all(turn.now)) {
      const id = text(row.id)
      if (this.#sql.isNeeded.get({ id })) this.#sql.later.run(turn.now + NEEDED_MS, id)
      else this.#sql.erase.run(id)
    }
  }

  #stop(id: JobId, why: Stop, turn: Turn): void {
    this.#sql.stop.run(why, id)
    this.#sql.close.run(turn.now, id)
    turn.ring('change')
  }

  /**
   * Whether too many have failed; whether it has ended, or is open again. Failures of old stop nobody: where many
   * are given another life, too many are left at first.
   */
  #judge(id: JobId, isNews: boolean, turn: Turn): void {
    const batch = this.find(id)
    if (batch === undefined) return
    const { failedMax = Infinity, endedAt } = batch
    const isTooBad = isNews && batch.failed > failedMax && endedAt === undefined
    if (isTooBad && !batch.stopped) this.#stop(id, 'failures', turn)
    const isClosed = batch.closedAt !== undefined || isTooBad
    if (endedAt === undefined && isClosed && isOver(batch)) {
      turn.ring('change')
      const ending = this.#sql.end.get({ id, now: turn.now })
      if (typeof ending?.end_job !== 'string') return
      this.#inserting.run(endJobOf(decodeJob(ending.end_job), int(ending.endings)), turn)
    } else if (endedAt !== undefined && !isOver(batch)) this.#sql.reopen.run(id)
  }
}

const byId = ([one]: [JobId, unknown], [other]: [JobId, unknown]) => (one < other ? -1 : 1)

function toBatch(row: Row): Batch {
  const tally: BatchTally = {
    items: int(row.items),
    completed: int(row.completed),
    withErrors: int(row.with_errors),
    failed: int(row.failed),
    cancelled: int(row.cancelled),
  }
  return {
    id: text(row.id),
    job: text(row.job),
    tenant: text(row.tenant),
    keepMs: int(row.keep_ms),
    createdAt: int(row.created_at),
    filledAt: int(row.filled_at),
    ...tally,
    erased: int(row.erased),
    endings: int(row.endings),
    ...(row.closed_at !== null && { closedAt: int(row.closed_at) }),
    ...(row.ended_at !== null && { endedAt: int(row.ended_at) }),
    ...(row.stopped !== null && { stopped: toStop(text(row.stopped)) }),
    ...(row.failed_max !== null && { failedMax: int(row.failed_max) }),
    ...(row.fingerprint !== null && { fingerprint: text(row.fingerprint) }),
  }
}
