import type { Redis } from 'ioredis'
import type { Topic } from '../contract.ts'
import { Listeners, TOPICS } from '../parts/listeners.ts'
import type { Keys } from './keys.ts'

/** A line that only listens would not notice that its other end is gone. */
const CHECK_MS = 3000

/** Hears what scripts publish, over a connection that is opened once somebody listens. */
export class Bells implements Disposable {
  readonly #connect: () => Redis
  readonly #keys: Keys
  readonly #listeners = new Listeners()
  #client: Redis | undefined
  #checking: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(connect: () => Redis, keys: Keys) {
    this.#connect = connect
    this.#keys = keys
  }

  listen(topic: Topic, ring: () => void): Disposable {
    if (this.#client === undefined) this.#open()
    return this.#listeners.add(topic, ring)
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    clearInterval(this.#checking)
    this.#client?.disconnect()
  }

  #open(): void {
    const client = this.#connect()
    const again = () => void (this.#isClosed || client.disconnect(true))
    this.#client = client
    const topics = new Map(TOPICS.map((topic) => [this.#keys.channel(topic), topic]))
    client.on('message', (channel) => {
      const topic = topics.get(channel)
      if (topic !== undefined) this.#listeners.tell(topic)
    })
    // At first and after each reconnect: what was rung meanwhile was missed.
    client.on('ready', () => {
      client
        .subscribe(...topics.keys())
        .then(() => this.#listeners.tellAll())
        .catch(again)
    })
    client.connect().catch(() => undefined)
    this.#checking = setInterval(() => {
      if (client.status === 'ready') client.ping().catch(again)
    }, CHECK_MS).unref()
  }
}
