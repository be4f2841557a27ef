import { type Millis, TIMER_MAX_MS } from '../base/time.ts'
import type { Job, JobId } from '../job/job.ts'
import type { Lookout } from '../store/contract.ts'

/** What a wait may bring: the job, that it is gone, or nothing in time. */
export type News = Job | 'gone' | undefined

/** Somebody who follows one job: it is read for them while they wait, and nothing is kept in between. */
export type Following = Disposable & {
  /** The job as soon as its `rev` is past the given one; nothing after `ms`. */
  next(rev: number, ms: Millis, signal?: AbortSignal): Promise<News>
}

type Waiter = {
  readonly id: JobId
  rev: number
  /** How often a change had been heard when the last read made for it began. */
  heard: number
  done(news: News): void
}

const SAFETY_POLL_MS = 1000

/**
 * Waits for jobs to change. However many follow, a change costs one read of the jobs they wait for;
 * while nobody waits, nothing is read at all.
 */
export class Follower implements Disposable {
  readonly #lookout: Lookout
  readonly #waiters = new Map<JobId, Set<Waiter>>()
  #followings = 0
  #heard = 0
  #listening: Disposable | undefined
  #poll: NodeJS.Timeout | undefined
  /** Nobody is kept waiting any more. */
  isClosed = false
  #looking = false
  #again = false

  constructor(lookout: Lookout) {
    this.#lookout = lookout
  }

  follow(id: JobId): Following {
    this.#followings++
    // It may have changed since its follower last read it: the first wait looks in any case.
    const waiter: Waiter = { id, rev: 0, heard: -1, done: () => undefined }
    return {
      next: (rev, ms, signal) => {
        waiter.rev = rev
        return this.#wait(waiter, ms, signal)
      },
      [Symbol.dispose]: () => {
        if (--this.#followings === 0) this.#rest()
      },
    }
  }

  [Symbol.dispose](): void {
    this.isClosed = true
    for (const waiters of this.#waiters.values())
      for (const waiter of waiters) waiter.done(undefined)
    this.#rest()
  }

  #wait(waiter: Waiter, ms: Millis, signal?: AbortSignal): Promise<News> {
    if (this.isClosed || signal?.aborted) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const giveUp = () => waiter.done(undefined)
      // Who waits longer asks again.
      const timer = setTimeout(giveUp, Math.min(ms, TIMER_MAX_MS))
      waiter.done = (news) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
        this.#leave(waiter)
        resolve(news)
      }
      signal?.addEventListener('abort', giveUp)
      this.#waiters.set(waiter.id, (this.#waiters.get(waiter.id) ?? new Set()).add(waiter))
      this.#listening ??= this.#lookout.listen('change', () => this.#hear())
      this.#poll ??= setInterval(() => this.#hear(), SAFETY_POLL_MS)
      this.#look()
    })
  }

  #hear(): void {
    this.#heard++
    this.#look()
  }

  #look(): void {
    this.#again = true
    if (this.#looking) return
    this.#looking = true
    setImmediate(() => void this.#read())
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const heard = this.#heard
      const ids = this.#behind()
      if (ids.length === 0) break
      // An outage is waited out: the poll looks again.
      const jobs = await this.#lookout.find(ids).catch(() => undefined)
      for (const [i, id] of ids.entries()) if (jobs) this.#tell(id, jobs[i], heard)
    }
    this.#looking = false
  }

  /** The jobs of those who know less than was heard: a newcomer does not have all others read again. */
  #behind(): JobId[] {
    const isBehind = ({ heard }: Waiter) => heard !== this.#heard
    const behind = this.#waiters.entries().filter(([, waiters]) => waiters.values().some(isBehind))
    return behind.map(([id]) => id).toArray()
  }

  #tell(id: JobId, job: Job | undefined, heard: number): void {
    for (const waiter of this.#waiters.get(id) ?? []) {
      waiter.heard = heard
      if (job === undefined) waiter.done('gone')
      else if (job.rev > waiter.rev) waiter.done(job)
    }
  }

  #leave(waiter: Waiter): void {
    const waiters = this.#waiters.get(waiter.id)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(waiter.id)
  }

  #rest(): void {
    clearInterval(this.#poll)
    this.#poll = undefined
    this.#listening?.[Symbol.dispose]()
    this.#listening = undefined
  }
}
