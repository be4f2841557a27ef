/** When a lone call sets off: at once, or with all that arrive in this turn of the event loop. */
export type Flush = 'microtask' | 'turn'

type Call<Item, Answer> = {
  item: Item
  resolve(answer: Answer): void
  reject(error: unknown): void
}

const BATCH_MAX = 1000
/** One trip is prepared while the other end works on the one before. */
const TRIPS_MAX = 2
/** So many calls are worth a trip of their own while another is in flight. */
const WORTH_A_TRIP = 32

/**
 * Calls made while another is in flight join the next one, so that a lone call goes at once and a
 * hundred share two trips. A batch refused for one item's sake is halved until only the culprit
 * hears of it.
 */
export class Batching<Item, Answer extends object | string | number> {
  readonly #run: (items: Item[]) => Promise<Answer[]>
  readonly #isCulprit: (error: unknown) => boolean
  readonly #defer: (flush: () => void) => void
  #calls: Call<Item, Answer>[] = []
  #underWay = 0
  #isDeferred = false

  constructor(
    run: (items: Item[]) => Promise<Answer[]>,
    /** Whether an error may be one item's fault; others reject the whole batch. */
    isCulprit: (error: unknown) => boolean,
    flush: Flush = 'microtask',
  ) {
    this.#run = run
    this.#isCulprit = isCulprit
    this.#defer = flush === 'turn' ? setImmediate : queueMicrotask
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ item, resolve, reject })
      if (this.#isDeferred || !this.#mayLeave) return
      this.#isDeferred = true
      this.#defer(() => {
        this.#isDeferred = false
        this.#flush()
      })
    })
  }

  get #mayLeave(): boolean {
    const isWorthIt = this.#underWay === 0 || this.#calls.length >= WORTH_A_TRIP
    return this.#calls.length > 0 && this.#underWay < TRIPS_MAX && isWorthIt
  }

  #flush(): void {
    while (this.#mayLeave) {
      const { length } = this.#calls
      const half =
        this.#underWay === 0 && length >= 2 * WORTH_A_TRIP ? Math.ceil(length / 2) : length
      void this.#leave(this.#calls.splice(0, Math.min(half, BATCH_MAX)))
    }
  }

  async #leave(calls: Call<Item, Answer>[]): Promise<void> {
    this.#underWay++
    await this.#send(calls)
    this.#underWay--
    this.#flush()
  }

  async #send(calls: Call<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#run(calls.map((call) => call.item))
      for (const [i, call] of calls.entries()) {
        const answer = answers[i]
        if (answer === undefined) call.reject(new TypeError('a batch was answered in part'))
        else call.resolve(answer)
      }
    } catch (error) {
      if (calls.length === 1 || !this.#isCulprit(error))
        return calls.forEach((call) => call.reject(error))
      const half = calls.length >> 1
      await this.#send(calls.slice(0, half))
      await this.#send(calls.slice(half))
    }
  }
}
