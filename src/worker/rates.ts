import type { Millis } from '../base/time.ts'
import { LATE_MAX_MS, type Take } from '../job/rate.ts'
import { inOrder } from '../store/parts/rates.ts'

/** What is known of a limit: how many calls had passed after each, and when; and until when it is closed. */
type Known = {
  total: number
  kept: number
  closedUntil: Millis
  taken: { upto: number; at: Millis }[]
}

/** Limits in this process, for handlers that run where no store is: answered as a store answers them. */
export class Rates {
  readonly #now: () => Millis
  readonly #known = new Map<string, Known>()

  constructor(now: () => Millis = Date.now) {
    this.#now = now
  }

  take(takes: readonly Take[]): Promise<Millis[]> {
    return Promise.resolve(inOrder(takes, (take) => this.#one(take)))
  }

  hold(limit: string, ms: Millis): Promise<Millis> {
    const [known, now] = [this.#of(limit), this.#now()]
    known.closedUntil = ms === 0 ? now : Math.max(known.closedUntil, now + ms)
    return Promise.resolve(known.closedUntil - now)
  }

  #one({ limit, count, windowMs, n, lateMs }: Take): Millis {
    const known = this.#of(limit)
    const now = this.#now()
    known.kept = Math.max(known.kept, count)
    // A clock that went back: those calls count from now.
    for (const one of known.taken) one.at = Math.min(one.at, now + LATE_MAX_MS)
    if (known.closedUntil > now) return known.closedUntil - now
    const nth = known.total + n - count
    const leavesAt = (known.taken.find(({ upto }) => upto >= nth)?.at ?? 0) + windowMs
    if (nth > 0 && leavesAt > now) return leavesAt - now
    known.total += n
    const at = Math.max(now + lateMs, known.taken.at(-1)?.at ?? 0)
    known.taken.push({ upto: known.total, at })
    const { total, kept } = known
    known.taken = known.taken.filter(({ upto }) => upto > total - kept)
    return 0
  }

  #of(limit: string): Known {
    const known = this.#known.get(limit) ?? { total: 0, kept: 0, closedUntil: 0, taken: [] }
    this.#known.set(limit, known)
    return known
  }
}
