import type { Adoptee, Alias, BatchCopy } from '../../job/moving.ts'
import type { Adopted } from '../contract.ts'
import { holds } from '../parts/copying.ts'
import type { Connection } from './connection.ts'
import { Policies } from './policies.ts'
import { int, numberOf } from './rows.ts'
import type { Turn } from './turns.ts'

/** The ended jobs of a call, by their end and by when they go. */
type Endings = Map<string, { keptUntil: number; endedAt: number; places: number[] }>

/** Stores jobs as they stood in another store. */
export class Adopting {
  readonly #sql
  readonly #policies
  readonly #limits
  readonly #batches

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./adopt.sql', [
      'there',
      'holder',
      'job',
      'body',
      'tag',
      'run',
      'line',
      'step',
      'carries',
      'letter',
      'await',
      'file',
      'drops',
      'ended',
      'alias',
    ])
    this.#policies = new Policies(connection)
    this.#limits = connection.limits
    this.#batches = connection.batches
  }

  run(
    jobs: readonly Adoptee[],
    aliases: readonly Alias[],
    batches: readonly BatchCopy[],
    turn: Turn,
  ): Adopted[] {
    const endings: Endings = new Map()
    const answers = jobs.map((job) => this.#standing(job) ?? this.#adopt(job, endings, turn))
    for (const { keptUntil, endedAt, places } of endings.values())
      this.#sql.ended.run(keptUntil, endedAt, JSON.stringify(places))
    for (const { id, job, fingerprint, until } of aliases)
      this.#sql.alias.run(id, job, fingerprint, until)
    this.#batches.adopt(batches)
    for (const topic of ['ready', 'change'] as const) turn.ring(topic)
    return answers
  }

  /** What keeps a job from being stored; nothing when it may be. */
  #standing({
    id,
    job,
    queue,
    tenant,
    createdAt,
    rev,
    fence,
    ...more
  }: Adoptee): Adopted | undefined {
    const there = this.#sql.there.get(id)
    if (there) {
      const { job: name, queue: line, tenant: owner, created_at: since } = there
      if (name !== job || line !== queue || owner !== tenant || since !== createdAt)
        return 'ID_TAKEN'
      return int(there.rev) < rev || int(there.fence) < fence ? 'behind' : 'already'
    }
    const { unique } = more
    if (unique === undefined || !holds(more)) return undefined
    return this.#sql.holder.get(tenant, job, unique.value) ? 'UNIQUE_TAKEN' : undefined
  }

  #adopt(job: Adoptee, endings: Endings, turn: Turn): Adopted {
    const { id, queue, state, endedAt, keptUntil } = job
    const { lastInsertRowid } = this.#sql.job.run(
      id,
      queue,
      job.priority,
      numberOf(state),
      job.runAt,
      job.rev,
      job.fence,
      job.worker ?? null,
      job.failures,
      job.crashes,
      job.losses,
      job.cancelAsked ? 1 : 0,
      job.startedAt ?? null,
      endedAt ?? null,
      keptUntil ?? null,
      job.wakesAt ?? null,
    )
    const place = Number(lastInsertRowid)
    this.#insertBody(place, job, turn)
    this.#insertLeft(place, job)
    if (job.limits && endedAt === undefined) this.#limits.arrive(place, job.limits, turn)
    if (endedAt !== undefined) {
      const ending = `${keptUntil} ${endedAt}`
      const listed = endings.get(ending)
      if (listed) listed.places.push(place)
      else endings.set(ending, { keptUntil: keptUntil ?? endedAt, endedAt, places: [place] })
    }
    turn.tallies.add(queue, 'accepted')
    turn.tallies.add(queue, state)
    return 'adopted'
  }

  #insertBody(place: number, job: Adoptee, turn: Turn): void {
    const { unique, tags } = job
    this.#sql.body.run(
      place,
      job.job,
      job.tenant,
      job.createdAt,
      job.expiresAt ?? null,
      job.deadlineAt ?? null,
      unique?.value ?? null,
      unique?.until ?? null,
      holds(job) ? 1 : null,
      job.fingerprint ?? null,
      tags.length > 0 ? JSON.stringify(tags) : null,
      job.subject ?? null,
      job.parent?.id ?? null,
      job.parent?.name ?? null,
      job.place?.batch ?? null,
      job.place?.index ?? null,
      job.limits ? JSON.stringify(job.limits) : null,
      job.waitingFor ?? null,
      job.reason ?? null,
      job.withErrors ? 1 : null,
      job.input,
      this.#policies.idOf(job.policy, turn),
      job.result ?? null,
      job.error ?? null,
      job.progress ?? null,
    )
  }

  #insertLeft(place: number, job: Adoptee): void {
    const { tags, attempts, log, steps, mail, awaits, artifacts, drops = {} } = job
    for (const tag of tags) this.#sql.tag.run(tag, place)
    for (const { fence, worker, startedAt, endedAt, outcome, error = null } of attempts)
      this.#sql.run.run(place, fence, worker, startedAt, endedAt, outcome, error)
    for (const [i, { at, fence, level, text }] of log.entries())
      this.#sql.line.run(place, i + 1, at, fence, level, text)
    for (const { name, at, value } of steps) this.#sql.step.run(place, name, at, value)
    if (mail.length > 0 || steps.length > 0) this.#sql.carries.run(place)
    for (const { name, key, at, value, urgent } of mail)
      this.#sql.letter.run(place, name, key, at, urgent ? 1 : null, value)
    for (const name of awaits?.one ?? []) this.#sql.await.run(place, name, 0)
    for (const name of awaits?.all ?? []) this.#sql.await.run(place, name, 1)
    for (const [what, at] of Object.entries(drops)) this.#sql.drops.run(place, what, at)
    for (const { file, fence, type, bytes, sha256, expiresAt } of artifacts)
      this.#sql.file.run(place, file, fence, type, bytes, sha256, expiresAt)
  }
}
