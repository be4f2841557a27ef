import { setTimeout as sleep } from 'node:timers/promises'
import { Alarm } from '../base/alarm.ts'
import { monotonic, type Millis } from '../base/time.ts'
import type { Take } from '../job/rate.ts'
import type { Intake, Workbench } from '../store/contract.ts'
import type { Holder } from './crew.ts'

type Asking = { holder: Holder; take: Take; pass: (since: Millis) => void }
/** Those who ask for one limit, in their order; nobody asks the store before this moment. */
type Line = { asking: Asking[]; askAt: Millis }

type Parts = {
  store: Pick<Workbench, 'take'> & Pick<Intake, 'hold'>
  /** How long it waits at most before it asks again: somebody may have opened a limit. */
  lookMs: Millis
  onError: (error: unknown) => void
}

/** Of one limit so many are asked for in one trip. */
const ASKS_MAX = 200
const RETRY_MS = 250
/** Spread, so that of several workers the one nearest to the store is not always first. */
const SPREAD_MS = 20

/**
 * Where calls of one worker wait for their limits. All of a turn of the event loop go to the store in one trip; who
 * comes while the line of a limit is known to wait joins it, and costs none.
 */
export class Gate implements Disposable {
  readonly #parts: Parts
  readonly #lines = new Map<string, Line>()
  readonly #alarm = new Alarm(() => {
    this.#next()
    return Infinity
  })
  #isUnderWay = false
  #isOver = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `pass` is told once it may be made, and at which moment of the machine the store was asked. */
  add(holder: Holder, take: Take, pass: Asking['pass']): void {
    if (this.#isOver) return
    const line = this.#lines.get(take.limit) ?? { asking: [], askAt: 0 }
    this.#lines.set(take.limit, line)
    line.asking.push({ holder, take, pass })
    if (line.asking.length === 1) this.#next()
  }

  /** Its handler has ended: it asks for nothing any more. */
  drop({ id, fence }: Holder): void {
    for (const [limit, line] of this.#lines) {
      line.asking = line.asking.filter(({ holder }) => holder.id !== id || holder.fence !== fence)
      if (line.asking.length === 0 && line.askAt <= performance.now()) this.#lines.delete(limit)
    }
  }

  /** Closes a limit, however long the store cannot be reached. @returns for how long it is closed */
  async hold(limit: string, ms: Millis): Promise<Millis> {
    while (!this.#isOver)
      try {
        return (await this.#parts.store.hold(limit, ms)) ?? 0
      } catch (error) {
        this.#parts.onError(error)
        await sleep(RETRY_MS)
      }
    return ms
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#lines.clear()
    this.#alarm[Symbol.dispose]()
  }

  /** Asks at once, with all that come in this turn of the event loop, or when the first line may. */
  #next(): void {
    if (this.#isUnderWay || this.#isOver) return
    const at = this.#nextAt()
    if (at > performance.now()) return this.#alarm.by(at)
    this.#isUnderWay = true
    setImmediate(() => void this.#ask())
  }

  #nextAt(): Millis {
    const waiting = this.#lines.values().filter(({ asking }) => asking.length > 0)
    return Math.min(...waiting.map(({ askAt }) => askAt))
  }

  async #ask(): Promise<void> {
    const now = performance.now()
    const due = [...this.#lines.values()].filter(({ askAt }) => askAt <= now)
    const asking = due.flatMap((line) => line.asking.slice(0, ASKS_MAX))
    const since = monotonic()
    try {
      const waits =
        asking.length > 0 ? await this.#parts.store.take(asking.map(({ take }) => take)) : []
      for (const [i, one] of asking.entries()) this.#answer(one, waits[i] ?? 1, since)
    } catch (error) {
      this.#parts.onError(error)
      for (const { take } of asking) this.#rest(take.limit, RETRY_MS)
    }
    this.#isUnderWay = false
    this.#next()
  }

  #answer(one: Asking, waitMs: Millis, since: Millis): void {
    const { lookMs } = this.#parts
    const { limit } = one.take
    if (waitMs > 0) return this.#rest(limit, Math.min(waitMs, lookMs))
    const line = this.#lines.get(limit)
    const at = line?.asking.indexOf(one) ?? -1
    // Dropped meanwhile: it counts all the same.
    if (at === -1) return
    line?.asking.splice(at, 1)
    one.pass(since)
  }

  #rest(limit: string, ms: Millis): void {
    const line = this.#lines.get(limit)
    if (line) line.askAt = performance.now() + ms + Math.random() * SPREAD_MS
  }
}
