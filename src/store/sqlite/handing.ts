import type { SQLOutputValue } from 'node:sqlite'
import type { Millis } from '../../base/time.ts'
import { encodeTally } from '../../job/batch.ts'
import type { Claimed, Fence, JobId, Limit, Subject } from '../../job/job.ts'
import { readLimits } from '../parts/limits.ts'
import type { Connection } from './connection.ts'
import { Policies } from './policies.ts'
import { bytes, int, text, toMail, toStep } from './rows.ts'
import type { Turn } from './turns.ts'

const ID_LENGTH = 36

/** Where a running job lies, and what its end must look after. */
export type Held = {
  fence: Fence
  place: number
  queue: string
  receipt: number
  isUnique: boolean
  tried: boolean
  /** Whose end it tells. */
  batch?: JobId
  /** Whose places it has. */
  limits?: readonly Limit[]
}

/** A job on its way to a worker. */
export type Handed = { job: Claimed; held: Held }

/** Reads jobs on their way: rows of `ready`, `again` or `orphan`, whose columns are the same, in one order. */
export class Handing {
  readonly #sql
  readonly #mail
  readonly #policies
  readonly #batches

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./exchange.sql', ['subject', 'steps', 'stopped'])
    this.#mail = connection.prepare('./mail.sql', ['read'])
    this.#policies = new Policies(connection)
    this.#batches = connection.batches
  }

  read(row: readonly SQLOutputValue[], receipt: number, turn: Turn): Handed {
    const [place, id, fence, queue, failures, crashes, losses, runAt, ...body] = row
    const [job, tenant, createdAt, expiresAt, deadlineAt, input, policy, ...marks] = body
    const [isUnique, cancelAsked, subject, isCarrier, parent, batch, index, limits] = marks
    const claimed: Claimed = {
      id: text(id),
      fence: int(fence),
      job: text(job),
      queue: text(queue),
      tenant: text(tenant),
      failures: int(failures),
      crashes: int(crashes),
      losses: int(losses),
      input: bytes(input),
      policy: this.#policies.read(int(policy), turn),
      createdAt: int(createdAt),
      runAt: int(runAt),
    }
    if (expiresAt !== null) claimed.expiresAt = int(expiresAt)
    if (deadlineAt !== null) claimed.deadlineAt = int(deadlineAt)
    if (typeof batch === 'string') claimed.place = { batch, index: int(index) }
    if (cancelAsked === 1) claimed.cancelAsked = true
    if (typeof subject === 'string') claimed.subject = this.#read(subject)
    if (typeof parent === 'string')
      claimed.parent = { id: parent.slice(0, ID_LENGTH), name: parent.slice(ID_LENGTH + 1) }
    // Only a job that ran before has recorded any, or was sent some.
    if (isCarrier === 1 || claimed.fence > 0) {
      const steps = this.#sql.steps.all(int(place)).map(toStep)
      if (steps.length > 0) claimed.steps = steps
      const mail = this.#mail.read.all(int(place)).map(toMail)
      if (mail.length > 0) claimed.mail = mail
    }
    return {
      job: claimed,
      held: {
        fence: claimed.fence,
        place: int(place),
        queue: claimed.queue,
        receipt,
        isUnique: isUnique === 1,
        // Counts of what went wrong may be forgotten: an error of before lies there still.
        tried: claimed.fence > 0,
        ...(typeof batch === 'string' && { batch }),
        ...(typeof limits === 'string' && { limits: readLimits(limits) }),
      },
    }
  }

  /** Under a new fence. Of a batch that is stopped none is begun any more: whoever takes one is asked to end it. */
  take({ job, held }: Handed, now: Millis, isStopped: (batch: JobId) => boolean): Fence {
    // Fences never repeat, even when a store lost its last second.
    job.fence = held.fence = Math.max(job.fence + 1, now)
    if (!job.cancelAsked && job.place && isStopped(job.place.batch)) {
      this.#sql.stopped.run(held.place)
      job.cancelAsked = true
    }
    return job.fence
  }

  #read(id: JobId): Subject {
    const row = this.#sql.subject.get(id)
    if (row === undefined) {
      const batch = this.#batches.find(id)
      return { input: batch ? encodeTally(batch) : new Uint8Array() }
    }
    const { input, result = null, error = null } = row
    return {
      input: bytes(input),
      ...(result !== null && { result: bytes(result) }),
      ...(error !== null && { error: bytes(error) }),
    }
  }
}
