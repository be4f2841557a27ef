import type { Millis } from '../../base/time.ts'
import type { Artifact, JobId } from '../../job/job.ts'
import { isEnded } from '../../job/state.ts'
import { AUDIT_MAX, type Erased, type Purged } from '../contract.ts'
import type { Connection } from './connection.ts'
import { ALIAS_MS } from './inserting.ts'
import { int, stateOf, text, toArtifact } from './rows.ts'
import type { Turn } from './turns.ts'

/** When a job is looked at again that was kept for its hook, or for its batch. */
const NEEDED_MS = 600_000

/** Removes jobs and files whose time to be kept is over. */
export class Purge {
  readonly #sql
  readonly #batches
  readonly #trim

  constructor(connection: Connection) {
    this.#batches = connection.batches
    this.#trim = connection.prepare('./audit.sql', ['trim']).trim
    this.#sql = connection.prepare('./purge.sql', [
      'ripe',
      'done',
      'shorten',
      'find',
      'remember',
      'erase',
      'hooked',
      'needed',
      'later',
      'aliases',
      'body',
      'logs',
      'attempts',
      'steps',
      'mail',
      'awaited',
      'tags',
      'artifacts',
      'due',
      'postpone',
      'dropped',
      'seen',
      'input',
      'result',
      'undropped',
      'expired',
      'forget',
    ])
  }

  run(limit: number, turn: Turn): Purged {
    const purged: Purged = { erased: 0, withFiles: [] }
    this.#sql.aliases.run(turn.now)
    this.#batches.purge(turn)
    this.#drop(limit, turn)
    let left = limit
    for (const entry of this.#sql.ripe.all(turn.now)) {
      if (left <= 0) break
      const places: number[] = JSON.parse(text(entry.turns))
      for (const place of places.slice(0, left))
        this.#erase(place, int(entry.ended_at), purged, turn)
      if (places.length <= left) this.#sql.done.run(int(entry.rowid))
      else this.#sql.shorten.run(JSON.stringify(places.slice(left)), int(entry.rowid))
      left -= places.length
    }
    return purged
  }

  /** Strikes off entries of the audit log at its old end. */
  trim(limit: number, auditMs: Millis, { now }: Turn): void {
    this.#trim.run({ limit, until: now - auditMs, max: AUDIT_MAX })
  }

  /** Removes a job that has ended, whenever its time would be over. */
  erase(id: JobId, turn: Turn): Erased {
    const row = this.#sql.find.get(id)
    if (row === undefined) return 'gone'
    const [place, state] = [int(row.turn), stateOf(row.state)]
    if (!isEnded(state)) return state
    const needed = this.#sql.needed.get({ turn: place })
    if (needed) return needed.by === 'hooked' ? 'hooked' : 'filling'
    this.#remove(place, int(row.ended_at), null, turn)
    const until = int(row.created_at) + ALIAS_MS
    if (row.fingerprint !== null && until > turn.now)
      this.#sql.remember.run({ id, fingerprint: row.fingerprint ?? null, until })
    turn.ring('change')
    return 'erased'
  }

  expired(now: Millis, limit: number): (Artifact & { id: JobId })[] {
    return this.#sql.expired
      .all(now, limit)
      .map((row) => ({ id: text(row.id), ...toArtifact(row) }))
  }

  forget(artifacts: readonly { id: JobId; file: string }[]): void {
    for (const { id, file } of artifacts) this.#sql.forget.run(file, id)
  }

  /** Inputs and results that go before their records; not while a hook looks back on them. */
  #drop(limit: number, turn: Turn): void {
    for (const row of this.#sql.due.all(turn.now, limit)) {
      const [place, what] = [int(row.turn), text(row.what)]
      if (this.#sql.hooked.get(place)) {
        this.#sql.postpone.run(turn.now + NEEDED_MS, place, what)
        continue
      }
      this.#sql.dropped.run(place, what)
      // It was called again meanwhile: its next end says anew what goes when.
      if (this.#sql.seen.run(place).changes === 0) continue
      this.#sql[what === 'input' ? 'input' : 'result'].run(place)
      turn.ring('change')
    }
  }

  #erase(place: number, endedAt: Millis, purged: Purged, turn: Turn): void {
    if (this.#sql.needed.get({ turn: place })) {
      this.#sql.later.run(turn.now + NEEDED_MS, endedAt, JSON.stringify([place]))
      return
    }
    const removed = this.#remove(place, endedAt, turn.now, turn)
    if (removed === undefined) return
    if (removed.hadFiles) purged.withFiles.push(removed.id)
    purged.erased++
  }

  /** Unless it ended again since, or is kept for longer than until `keptUntil`. */
  #remove(
    place: number,
    endedAt: Millis,
    keptUntil: Millis | null,
    turn: Turn,
  ): { id: JobId; hadFiles: boolean } | undefined {
    const row = this.#sql.erase.get(place, endedAt, keptUntil)
    if (row === undefined) return undefined
    const { tags, batch } = this.#sql.body.get(place) ?? {}
    if (typeof tags === 'string') this.#sql.tags.run(place, tags)
    if (typeof batch === 'string') turn.told.erased(batch)
    this.#sql.logs.run(place)
    this.#sql.attempts.run(place)
    this.#sql.steps.run(place)
    this.#sql.mail.run(place)
    this.#sql.awaited.run(place)
    this.#sql.undropped.run(place)
    turn.tallies.add(text(row.queue), stateOf(row.state), -1)
    turn.tallies.add(text(row.queue), 'erased')
    const hadFiles = Number(this.#sql.artifacts.run(place).changes) > 0
    return { id: text(row.id), hadFiles }
  }
}
