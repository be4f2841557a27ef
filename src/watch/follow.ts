import type { Millis } from '../base/time.ts'
import type { Job, JobId } from '../job/job.ts'
import type { Lookout } from '../store/contract.ts'

type Waiter = { rev: number; done(job: Job | undefined): void }

const SAFETY_POLL_MS = 1000

/**
 * Waits for jobs to change. However many wait, a change costs one read of the jobs they wait for;
 * while nobody waits, nothing is read at all.
 */
export class Follower implements Disposable {
  readonly #lookout: Lookout
  readonly #waiters = new Map<JobId, Set<Waiter>>()
  #listening: Disposable | undefined
  #poll: NodeJS.Timeout | undefined
  /** Nobody is kept waiting any more. */
  isClosed = false
  #looking = false
  #again = false

  constructor(lookout: Lookout) {
    this.#lookout = lookout
  }

  /** The job as soon as its `rev` is past the given one; undefined when it is gone, or after `ms`. */
  next(id: JobId, rev: number, ms: Millis, signal?: AbortSignal): Promise<Job | undefined> {
    if (this.isClosed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const done = (job: Job | undefined) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
        this.#leave(id, waiter)
        resolve(job)
      }
      const giveUp = () => done(undefined)
      const waiter = { rev, done }
      // A timer past 2^31 ms would fire at once; who waits longer asks again.
      const timer = setTimeout(giveUp, Math.min(ms, 2_147_483_647))
      signal?.addEventListener('abort', giveUp)
      this.#waiters.set(id, (this.#waiters.get(id) ?? new Set()).add(waiter))
      this.#listening ??= this.#lookout.listen('change', () => this.#look())
      this.#poll ??= setInterval(() => this.#look(), SAFETY_POLL_MS)
      // It may have changed between the caller's read and now.
      this.#look()
    })
  }

  [Symbol.dispose](): void {
    this.isClosed = true
    for (const waiters of this.#waiters.values())
      for (const waiter of waiters) waiter.done(undefined)
    this.#rest()
  }

  #look(): void {
    this.#again = true
    if (this.#looking) return
    this.#looking = true
    setImmediate(() => void this.#read())
  }

  async #read(): Promise<void> {
    while (this.#again && this.#waiters.size > 0) {
      this.#again = false
      const ids = [...this.#waiters.keys()]
      // An outage is waited out: the poll looks again.
      const jobs = await this.#lookout.find(ids).catch(() => undefined)
      for (const [i, id] of ids.entries()) if (jobs) this.#tell(id, jobs[i])
    }
    this.#looking = false
  }

  #tell(id: JobId, job: Job | undefined): void {
    for (const waiter of this.#waiters.get(id) ?? [])
      if (job === undefined || job.rev > waiter.rev) waiter.done(job)
  }

  #leave(id: JobId, waiter: Waiter): void {
    const waiters = this.#waiters.get(id)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(id)
    if (this.#waiters.size === 0) this.#rest()
  }

  #rest(): void {
    clearInterval(this.#poll)
    this.#poll = undefined
    this.#listening?.[Symbol.dispose]()
    this.#listening = undefined
  }
}
