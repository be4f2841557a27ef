/** Has those who come with the same key wait for each other, in their order. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<Value>(key: string, act: () => Promise<Value>): Promise<Value> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(act)
    const settled = mine.catch(() => undefined)
    this.#last.set(key, settled)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}
