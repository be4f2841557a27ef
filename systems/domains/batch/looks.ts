import { setTimeout as pause } from 'node:timers/promises'

type Look<Seen> = { seen: Promise<Seen>; restMs: number }

/**
 * Looks at things again and again for whoever follows them. Who comes looks for himself, since he may have changed it
 * just now; from then on all who follow one share each look. The rest after it is four times as long as it took, so
 * that it costs at most a fifth of the time, however much there is to see.
 */
export class Looks<Seen> {
  readonly #everyMs: number
  readonly #latest = new Map<string, Look<Seen>>()

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** What is seen now and whenever it is looked at anew, until the signal fires. */
  async *follow(
    id: string,
    look: () => Promise<Seen>,
    signal: AbortSignal,
  ): AsyncGenerator<Seen, void, undefined> {
    let one = this.#begin(id, look)
    for (; !signal.aborted; one = this.#latest.get(id) ?? this.#begin(id, look)) {
      yield await one.seen
      await pause(one.restMs, undefined, { signal }).catch(() => undefined)
    }
  }

  #begin(id: string, look: () => Promise<Seen>): Look<Seen> {
    const from = performance.now()
    const one: Look<Seen> = { seen: look(), restMs: this.#everyMs }
    this.#latest.set(id, one)
    const forget = () => {
      if (this.#latest.get(id) === one) this.#latest.delete(id)
    }
    const rest = () => {
      one.restMs = Math.max(this.#everyMs, 4 * (performance.now() - from))
      return setTimeout(forget, one.restMs).unref()
    }
    one.seen.then(rest, forget)
    return one
  }
}
