import type { Millis } from '../base/time.ts'
import type { Claimed, JobId } from '../job/job.ts'
import { type Limits, STALL_MS } from './crew.ts'

/** A job in an executor's hands. */
export type Placed = {
  job: Claimed
  limits: Limits
  /** When it was handed over; then, when it began. */
  since: Millis
  begun: boolean
}

/** What one executor holds: as many run as it has places, the others wait in the order in which they came. */
export class Places {
  readonly #share: number
  readonly #all = new Map<JobId, Placed>()
  #begun = 0

  constructor(share: number) {
    this.#share = share
  }

  get size(): number {
    return this.#all.size
  }

  get(id: JobId): Placed | undefined {
    return this.#all.get(id)
  }

  has(placed: Placed): boolean {
    return this.#all.get(placed.job.id) === placed
  }

  all(): Placed[] {
    return [...this.#all.values()]
  }

  /** @returns when somebody has to look at it again */
  add(job: Claimed, limits: Limits): Millis {
    const begun = this.#begun < this.#share
    if (begun) this.#begun++
    const since = performance.now()
    this.#all.set(job.id, { job, limits, since, begun })
    return since + (begun ? limits.hardMs : STALL_MS)
  }

  /** Takes a job out; the one that waited longest begins in its place. */
  remove(id: JobId): Placed | undefined {
    const placed = this.#all.get(id)
    if (placed === undefined || !this.#all.delete(id)) return undefined
    if (!placed.begun || --this.#begun >= this.#all.size) return placed
    for (const next of this.#all.values())
      if (!next.begun) {
        next.begun = true
        next.since = performance.now()
        this.#begun++
        break
      }
    return placed
  }

  clear(): Placed[] {
    const all = this.all()
    this.#all.clear()
    this.#begun = 0
    return all
  }

  /** The job that has been running for longest past its hard limit. */
  overdue(now: Millis): Placed | undefined {
    return this.all()
      .filter((placed) => placed.begun && placed.since + placed.limits.hardMs <= now)
      .toSorted((a, b) => a.since + a.limits.hardMs - b.since - b.limits.hardMs)[0]
  }

  /** Whether jobs have waited for a place for too long: they would better run elsewhere. Asked once a wait. */
  stalled(now: Millis): boolean {
    const late = this.all().filter((placed) => !placed.begun && placed.since + STALL_MS <= now)
    for (const placed of late) placed.since = now
    return late.length > 0
  }

  /** When the next of these moments comes. */
  next(): Millis {
    let next = Infinity
    for (const { begun, since, limits } of this.#all.values())
      next = Math.min(next, since + (begun ? limits.hardMs : STALL_MS))
    return next
  }
}
