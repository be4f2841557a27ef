import type { Millis } from '../../base/time.ts'
import type { NewJob } from '../../job/job.ts'
import type { State } from '../../job/state.ts'
import type { Inserted } from '../contract.ts'
import type { Connection } from './connection.ts'
import { Limits } from './limits.ts'
import { Policies } from './policies.ts'
import { int, numberOf, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** A request that joined, or whose job was erased, is known again for as long as its key would be. */
export const ALIAS_MS = 86_400_000

/** Stores one job, or finds the one it repeats: for callers, and for endings that have a hook. */
export class Inserting {
  readonly #sql
  readonly #policies
  readonly #limits
  readonly #fair

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./insert.sql', [
      'job',
      'body',
      'plain',
      'item',
      'tag',
      'same',
      'holder',
      'alias',
      'remember',
    ])
    this.#policies = new Policies(connection)
    this.#limits = new Limits(connection)
    this.#fair = connection.prepare('./fair.sql', ['head', 'forget', 'turn', 'stand'])
  }

  /** `strictly`: who asks is told when as many wait as may; what is inserted along with an end never is. */
  run(job: NewJob, turn: Turn, strictly = false): Inserted {
    return this.#join(job, turn) ?? this.#refuse(job, strictly, turn) ?? this.#insert(job, turn)
  }

  /** A job that is there already under another id: by the same request before, or by its unique value. */
  #join(job: NewJob, turn: Turn): Inserted | undefined {
    const { id, unique, fingerprint } = job
    if (!unique && fingerprint === undefined) return undefined
    // An id that is there is its own job, whoever holds the unique value by now.
    if (this.#sql.same.get(id) !== undefined) return undefined
    const alias = fingerprint === undefined ? undefined : this.#sql.alias.get(id)
    if (alias) {
      if (alias.fingerprint !== fingerprint) return { id, refused: 'ID_TAKEN' }
      const job = text(alias.job)
      return job === id ? { id, refused: 'JOB_ERASED' } : { id: job, joined: true }
    }
    const holder = unique && this.#sql.holder.get(job.tenant, job.job, unique.value)
    if (!holder) return undefined
    const held = text(holder.id)
    if (unique?.onConflict === 'refuse') return { id: held, refused: 'UNIQUE_TAKEN' }
    if (fingerprint !== undefined)
      this.#sql.remember.run(id, held, fingerprint, turn.now + ALIAS_MS)
    return { id: held, joined: true }
  }

  #refuse({ id, limits }: NewJob, strictly: boolean, turn: Turn): Inserted | undefined {
    const full = strictly && limits ? this.#limits.full(limits, turn) : undefined
    if (full === undefined || this.#sql.same.get(id) !== undefined) return undefined
    return { id, refused: 'LIMIT_REACHED', key: full.key }
  }

  #insert(job: NewJob, turn: Turn): Inserted {
    const runAt = Math.max(job.runAt ?? turn.now + (job.delayMs ?? 0), turn.now)
    const state: State = runAt > turn.now ? 'scheduled' : 'ready'
    const { changes, lastInsertRowid } = this.#sql.job.run(
      job.id,
      job.queue,
      job.priority,
      numberOf(state),
      runAt,
    )
    if (changes === 0) return this.#repeat(job)

    this.#insertBody(Number(lastInsertRowid), job, runAt, turn)
    if (job.fair && state === 'ready') this.#standFairly(Number(lastInsertRowid), job, turn)
    if (job.limits) this.#limits.arrive(Number(lastInsertRowid), job.limits, turn)
    turn.tallies.add(job.queue, 'accepted')
    turn.tallies.add(job.queue, state)
    if (job.place) turn.told.came(job.place.batch, 1)
    turn.ring('ready')
    return { id: job.id, joined: false }
  }

  #standFairly(place: number, { queue, priority, tenant }: NewJob, turn: Turn): void {
    // It stands there itself, with the present moment.
    const head = this.#fair.head.get({ queue, priority, turn: place })?.head ?? null
    if (head === null) this.#fair.forget.run(queue, priority)
    const said = { queue, priority, tenant, head: head === null ? turn.now : int(head) }
    this.#fair.stand.run(int(this.#fair.turn.get(said)?.last), place)
  }

  #insertBody(place: number, job: NewJob, runAt: Millis, turn: Turn): void {
    const { unique, tags, fingerprint, expiresInMs, deadlineMs, subject, parent, place: item } = job
    const { limits } = job
    const policy = this.#policies.idOf(job.policy, turn)
    const rare = fingerprint ?? expiresInMs ?? deadlineMs ?? subject ?? parent ?? limits
    if (!unique && !tags && rare === undefined) {
      const { job: name, tenant, input } = job
      if (!item) this.#sql.plain.run(place, name, tenant, turn.now, input, policy)
      else this.#sql.item.run(place, name, tenant, turn.now, item.batch, item.index, input, policy)
      return
    }
    this.#sql.body.run(
      place,
      job.job,
      job.tenant,
      turn.now,
      expiresInMs === undefined ? null : runAt + expiresInMs,
      deadlineMs === undefined ? null : turn.now + deadlineMs,
      unique?.value ?? null,
      unique?.until ?? null,
      unique ? 1 : null,
      fingerprint ?? null,
      tags ? JSON.stringify(tags) : null,
      subject ?? null,
      parent?.id ?? null,
      parent?.name ?? null,
      item?.batch ?? null,
      item?.index ?? null,
      limits ? JSON.stringify(limits) : null,
      job.input,
      policy,
    )
    for (const tag of tags ?? []) this.#sql.tag.run(tag, place)
  }

  /**
   * The id is taken: by the same request, which joins, or by another one. An id that came without a
   * fingerprint was made by its caller, who never heard the first answer.
   */
  #repeat({ id, fingerprint }: NewJob): Inserted {
    if (this.#sql.same.get(id)?.fingerprint !== (fingerprint ?? null))
      return { id, refused: 'ID_TAKEN' }
    return { id, joined: fingerprint !== undefined }
  }
}
