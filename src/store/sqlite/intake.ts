import { isEnded, type State } from '../../job/state.ts'
import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { JobId, NewJob } from '../../job/job.ts'
import type { Cancelled, Inserted, Intake, Retried } from '../contract.ts'
import type { Connection } from './connection.ts'
import { Policies } from './policies.ts'
import { int, numberOf, stateOf, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Where work comes in. */
export class SqliteIntake implements Intake {
  readonly #turns
  readonly #insert
  readonly #policies
  readonly #change
  readonly #ended

  constructor(connection: Connection) {
    this.#turns = connection.turns
    this.#insert = connection.prepare('./insert.sql', [
      'job',
      'body',
      'plain',
      'tag',
      'same',
      'holder',
    ])
    this.#policies = new Policies(connection)
    this.#change = connection.prepare('./change.sql', [
      'find',
      'ask',
      'cancel',
      'release',
      'hold',
      'free',
      'revive',
      'renewed',
    ])
    this.#ended = connection.prepare('./exchange.sql', ['ended']).ended
  }

  insert(jobs: readonly NewJob[]): Promise<Inserted[]> {
    return this.#turns.run((turn) => jobs.map((job) => this.#insertOne(job, turn)))
  }

  cancel(ids: readonly JobId[], keepMs: Millis): Promise<Cancelled[]> {
    return this.#turns.run((turn) => ids.map((id) => this.#cancelOne(id, keepMs, turn)))
  }

  retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]> {
    return this.#turns.run((turn) => ids.map((id) => this.#retryOne(id, input, turn)))
  }

  #insertOne(job: NewJob, turn: Turn): Inserted {
    const { unique } = job
    // An id that is there is its own job, whoever holds the unique value by now.
    if (unique && this.#change.find.get(job.id) === undefined) {
      const holder = this.#insert.holder.get(job.tenant, job.job, unique.value)
      if (holder) return this.#meet(text(holder.id), job)
    }
    const runAt = job.runAt ?? turn.now + (job.delayMs ?? 0)
    const state: State = runAt > turn.now ? 'scheduled' : 'ready'
    const { changes, lastInsertRowid } = this.#insert.job.run(
      job.id,
      job.queue,
      job.priority,
      numberOf(state),
      Math.max(runAt, turn.now),
    )
    if (changes === 0) return this.#repeat(job)

    this.#insertBody(Number(lastInsertRowid), job, Math.max(runAt, turn.now), turn)
    turn.tallies.add(job.queue, 'accepted')
    turn.tallies.add(job.queue, state)
    turn.ring('ready')
    return { id: job.id, joined: false }
  }

  #insertBody(place: number, job: NewJob, runAt: Millis, turn: Turn): void {
    const { unique, tags, fingerprint, expiresInMs, deadlineMs } = job
    const policy = this.#policies.idOf(job.policy, turn)
    if (!unique && !tags && (fingerprint ?? expiresInMs ?? deadlineMs) === undefined) {
      this.#insert.plain.run(place, job.job, job.tenant, turn.now, job.input, policy)
      return
    }
    this.#insert.body.run(
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
      job.input,
      policy,
    )
    for (const tag of tags ?? []) this.#insert.tag.run(tag, place)
  }

  /**
   * The id is taken: by the same request, which joins, or by another one. An id that came without a
   * fingerprint was made by its caller, who never heard the first answer.
   */
  #repeat({ id, fingerprint }: NewJob): Inserted {
    if (this.#insert.same.get(id)?.fingerprint !== (fingerprint ?? null))
      return { id, refused: 'ID_TAKEN' }
    return { id, joined: fingerprint !== undefined }
  }

  /** The unique value is held: by a job to join, or by one that refuses. */
  #meet(holder: JobId, job: NewJob): Inserted {
    return job.unique?.onConflict === 'refuse'
      ? { id: holder, refused: 'UNIQUE_TAKEN' }
      : { id: holder, joined: true }
  }

  #cancelOne(id: JobId, keepMs: Millis, turn: Turn): Cancelled {
    const row = this.#change.find.get(id)
    if (row === undefined) return 'gone'
    const [place, queue, state] = [int(row.turn), text(row.queue), stateOf(row.state)]
    if (isEnded(state)) return state
    turn.ring('change')
    if (state === 'running') {
      this.#change.ask.run(place)
      return 'asked'
    }
    this.#change.cancel.run(turn.now, place)
    this.#change.release.run(place)
    this.#ended.run(turn.now + keepMs, turn.now, JSON.stringify([place]))
    turn.tallies.move(queue, state, 'cancelled')
    return 'cancelled'
  }

  #retryOne(id: JobId, input: Bytes | undefined, turn: Turn): Retried {
    const row = this.#change.find.get(id)
    if (row === undefined) return 'gone'
    const [place, queue, state] = [int(row.turn), text(row.queue), stateOf(row.state)]
    if (state !== 'failed' && state !== 'cancelled') return state
    this.#change.hold.run(place)
    if (this.#change.free.get(place)?.free !== 1) return 'taken'
    this.#change.revive.run(turn.now, place)
    this.#change.renewed.run(input ?? null, place)
    turn.tallies.move(queue, state, 'ready')
    turn.ring('ready')
    turn.ring('change')
    return 'retried'
  }
}
