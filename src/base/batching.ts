/** When a lone call sets off: at once, or with all that arrive in this turn of the event loop. */
export type Flush = 'microtask' | 'turn'

type Call<Item, Answer> = {
  item: Item
  resolve(answer: Answer): void
  reject(error: unknown): void
}

const BATCH_MAX = 1000

/**
 * Calls made while another is in flight join the next one, so that a lone call goes at once and a
 * hundred share one trip. A batch refused for one item's sake is halved until only the culprit
 * hears of it.
 */
export class Batching<Item, Answer extends object | string | number> {
  readonly #run: (items: Item[]) => Promise<Answer[]>
  readonly #isCulprit: (error: unknown) => boolean
  readonly #defer: (flush: () => void) => void
  #calls: Call<Item, Answer>[] = []
  #busy = false

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
      if (this.#busy) return
      this.#busy = true
      this.#defer(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    while (this.#calls.length > 0) await this.#send(this.#calls.splice(0, BATCH_MAX))
    this.#busy = false
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
