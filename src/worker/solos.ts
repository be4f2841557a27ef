import type { Millis } from '../base/time.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Child } from './child.ts'
import { type Ear, type Limits, unbegun } from './crew.ts'

type Waiting = { job: Claimed; limits: Limits }

/** How long an executor of jobs that run alone is kept for the next one. */
export const IDLE_MS: Millis = 10_000

/**
 * Jobs that must run alone, and the executors that run them one at a time. They never wait for shared
 * jobs to end: an idle executor is taken over, or one more is started.
 */
export class Solos {
  readonly #line: Waiting[] = []
  /** With the moment since which each has had nothing to do. */
  readonly #rooms = new Map<Child, Millis>()
  readonly #hire: () => Child | undefined
  readonly #lend: (job: Claimed) => Child | undefined
  readonly #startingMax: number

  constructor(parts: {
    /** One more, where the machine has room for it. */
    hire: () => Child | undefined
    /** An executor with nothing to do, which is ours from then on. */
    lend: (job: Claimed) => Child | undefined
    /** Started at once; more would only start each other slowly. */
    startingMax: number
  }) {
    this.#hire = parts.hire
    this.#lend = parts.lend
    this.#startingMax = parts.startingMax
  }

  get rooms(): readonly Child[] {
    return [...this.#rooms.keys()]
  }

  get held(): number {
    return this.rooms.reduce((sum, { held }) => sum + held, this.#line.length)
  }

  add(job: Claimed, limits: Limits): void {
    this.#line.push({ job, limits })
    this.look()
  }

  /** Begins what can begin. */
  look(): void {
    for (let next = this.#line[0]; next; next = this.#line[0]) {
      const room = this.rooms.find((one) => one.isOpen && one.held === 0) ?? this.#borrow(next.job)
      if (room === undefined) break
      this.#line.shift()
      room.begin(next.job, next.limits)
    }
    if (this.#line.length === 0) return
    const starting = this.rooms.filter(
      (room) => !room.isOpen && !room.isClosing && room.held === 0,
    ).length
    const wanted = Math.min(this.#startingMax, this.#line.length)
    for (let i = starting; i < wanted; i++) {
      const room = this.#hire()
      if (room) this.#rooms.set(room, performance.now())
    }
  }

  /** One of ours has ended. */
  lost(room: Child): boolean {
    return this.#rooms.delete(room)
  }

  /** Lets go of those that have had nothing to do for long. @returns when to look again */
  rest(now: Millis): Millis {
    let next = this.#line.length > 0 ? now + IDLE_MS : Infinity
    for (const [room, since] of this.#rooms) {
      if (room.held > 0 || !room.isOpen) this.#rooms.set(room, now)
      else if (now - since >= IDLE_MS) void room.stop()
      next = Math.min(next, now + IDLE_MS)
    }
    return next
  }

  /** Takes a job out of the line that has not begun. */
  take(id: JobId, fence: Fence): Claimed | undefined {
    const at = this.#line.findIndex(({ job }) => job.id === id && job.fence === fence)
    return at === -1 ? undefined : this.#line.splice(at, 1)[0]?.job
  }

  recall(ear: Ear): void {
    for (const { job } of this.#line.splice(0)) ear.report(job, unbegun('released'), 0)
  }

  #borrow(job: Claimed): Child | undefined {
    const lent = this.#lend(job)
    if (lent) this.#rooms.set(lent, performance.now())
    return lent
  }
}
