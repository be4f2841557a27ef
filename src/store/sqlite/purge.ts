import type { Millis } from '../../base/time.ts'
import type { Artifact, JobId } from '../../job/job.ts'
import type { Purged } from '../contract.ts'
import type { Connection } from './connection.ts'
import { int, stateOf, text, toArtifact } from './rows.ts'
import type { Turn } from './turns.ts'

/** When a job is looked at again that was kept for its hook, or for its batch. */
const NEEDED_MS = 600_000

/** Removes jobs and files whose time to be kept is over. */
export class Purge {
  readonly #sql
  readonly #batches

  constructor(connection: Connection) {
    this.#batches = connection.batches
    this.#sql = connection.prepare('./purge.sql', [
      'ripe',
      'done',
      'shorten',
      'erase',
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
      'expired',
      'forget',
    ])
  }

  run(limit: number, turn: Turn): Purged {
    const purged: Purged = { erased: 0, withFiles: [] }
    this.#sql.aliases.run(turn.now)
    this.#batches.purge(turn)
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

  expired(now: Millis, limit: number): (Artifact & { id: JobId })[] {
    return this.#sql.expired
      .all(now, limit)
      .map((row) => ({ id: text(row.id), ...toArtifact(row) }))
  }

  forget(artifacts: readonly { id: JobId; file: string }[]): void {
    for (const { id, file } of artifacts) this.#sql.forget.run(file, id)
  }

  #erase(place: number, endedAt: Millis, purged: Purged, turn: Turn): void {
    if (this.#sql.needed.get({ turn: place })) {
      this.#sql.later.run(turn.now + NEEDED_MS, endedAt, JSON.stringify([place]))
      return
    }
    const row = this.#sql.erase.get(place, endedAt, turn.now)
    if (row === undefined) return
    const { tags, batch } = this.#sql.body.get(place) ?? {}
    if (typeof tags === 'string') this.#sql.tags.run(place, tags)
    if (typeof batch === 'string') turn.told.erased(batch)
    this.#sql.logs.run(place)
    this.#sql.attempts.run(place)
    this.#sql.steps.run(place)
    this.#sql.mail.run(place)
    this.#sql.awaited.run(place)
    if (Number(this.#sql.artifacts.run(place).changes) > 0) purged.withFiles.push(text(row.id))
    purged.erased++
    turn.tallies.add(text(row.queue), stateOf(row.state), -1)
    turn.tallies.add(text(row.queue), 'erased')
  }
}
