import { setTimeout as pause } from 'node:timers/promises'

const NOTHING = () => undefined

type Look<Seen> = { seen: Promise<Seen>; restMs: number }

/**
 * Looks at things again and again for whoever follows them. Who comes looks for himself, since he may have changed it
 * just now; from then on all who follow one share each look. The rest after it is four times as long as it took, so
 * that it costs at most a fifth of the time, however much there is to see.
 */
export class Looks<Seen> {
  readonly #everyMs: number
  readonly #latest = new Map<string, Look<Seen>>()
  /** The end of the one that somebody has just now, and the one after it. */
  readonly #present = new Map<string, Promise<void>>()
  readonly #coming = new Map<string, Promise<Seen>>()

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

  /** What is seen from now on. Who asks while somebody looks shares the next look with all who asked meanwhile. */
  once(id: string, look: () => Promise<Seen>): Promise<Seen> {
    const coming = this.#coming.get(id)
    if (coming) return coming
    const next = this.#next(id, look)
    this.#coming.set(id, next)
    return next
  }

  async #next(id: string, look: () => Promise<Seen>): Promise<Seen> {
    await this.#present.get(id)
    this.#coming.delete(id)
    const seen = look()
    const over = seen.then(NOTHING, NOTHING)
    this.#present.set(id, over)
    try {
      return await seen
    } finally {
      if (this.#present.get(id) === over) this.#present.delete(id)
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
