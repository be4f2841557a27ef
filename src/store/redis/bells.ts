import type { Redis } from 'ioredis'
import type { Topic } from '../contract.ts'
import type { Keys } from './keys.ts'

const TOPICS: readonly Topic[] = ['ready', 'change', 'cancel']

/** Hears what scripts publish, over a connection that is opened once somebody listens. */
export class Bells implements Disposable {
  readonly #connect: () => Redis
  readonly #keys: Keys
  readonly #listeners: Record<Topic, Set<() => void>> = {
    ready: new Set(),
    change: new Set(),
    cancel: new Set(),
  }
  #client: Redis | undefined

  constructor(connect: () => Redis, keys: Keys) {
    this.#connect = connect
    this.#keys = keys
  }

  listen(topic: Topic, ring: () => void): Disposable {
    this.#listeners[topic].add(ring)
    if (this.#client === undefined) this.#open()
    return { [Symbol.dispose]: () => void this.#listeners[topic].delete(ring) }
  }

  [Symbol.dispose](): void {
    this.#client?.disconnect()
  }

  #open(): void {
    const client = this.#connect()
    this.#client = client
    const topics = new Map(TOPICS.map((topic) => [this.#keys.channel(topic), topic]))
    client.on('message', (channel) => {
      const topic = topics.get(channel)
      if (topic !== undefined) this.#ring(topic)
    })
    // At first and after each reconnect: what was rung meanwhile was missed.
    client.on('ready', () => {
      client
        .subscribe(...topics.keys())
        .then(() => TOPICS.forEach((topic) => this.#ring(topic)))
        .catch(() => client.disconnect(true))
    })
    client.connect().catch(() => undefined)
  }

  #ring(topic: Topic): void {
    for (const ring of this.#listeners[topic]) ring()
  }
}
