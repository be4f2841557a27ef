import type { Topic } from '../contract.ts'

export const TOPICS: readonly Topic[] = ['ready', 'change', 'cancel', 'entry']

/** Who wants to hear of what, in this process. */
export class Listeners {
  readonly #rings: Record<Topic, Set<() => void>> = {
    ready: new Set(),
    change: new Set(),
    cancel: new Set(),
    entry: new Set(),
  }

  add(topic: Topic, ring: () => void): Disposable {
    this.#rings[topic].add(ring)
    return { [Symbol.dispose]: () => void this.#rings[topic].delete(ring) }
  }

  tell(topic: Topic): void {
    for (const ring of this.#rings[topic]) ring()
  }

  /** Something may have been missed: everybody looks. */
  tellAll(): void {
    for (const topic of TOPICS) this.tell(topic)
  }
}
