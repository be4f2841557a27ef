import { Client, type ClientConfig } from 'pg'
import type { Topic } from '../contract.ts'
import { Listeners, TOPICS } from '../parts/listeners.ts'
import { channel } from './statements.ts'

const AGAIN_MS = 500
/** A line that only listens would not notice that its other end is gone. */
const CHECK_MS = 3000

/** Hears what every process tells through the server. What was missed in between is covered by a ring. */
export class Bells implements AsyncDisposable {
  readonly #config: ClientConfig
  readonly #schema: string
  /** There it would listen on a connection that is somebody else's a moment later. */
  readonly #isPooled: boolean
  readonly #listeners = new Listeners()
  #client: Client | undefined
  #again: NodeJS.Timeout | undefined
  #checking: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(config: ClientConfig, schema: string, isPooled: boolean) {
    this.#config = config
    this.#schema = schema
    this.#isPooled = isPooled
  }

  listen(topic: Topic, ring: () => void): Disposable {
    const isDeaf = this.#client === undefined && this.#again === undefined
    if (isDeaf && !this.#isPooled) void this.#connect()
    return this.#listeners.add(topic, ring)
  }

  async #connect(): Promise<void> {
    const client = new Client(this.#config)
    this.#client = client
    client.on('error', () => this.#retry(client))
    client.on('end', () => this.#retry(client))
    client.on('notification', ({ channel: heard }) => {
      const topic = TOPICS.find((one) => channel(this.#schema, one) === heard)
      if (topic) this.#listeners.tell(topic)
    })
    try {
      await client.connect()
      for (const topic of TOPICS) await client.query(`listen "${channel(this.#schema, topic)}"`)
      this.#listeners.tellAll()
      this.#check(client)
    } catch {
      this.#retry(client)
    }
  }

  #check(client: Client): void {
    if (this.#isClosed || this.#client !== client) return
    const check = () => client.query('select').catch(() => this.#retry(client))
    this.#checking = setInterval(() => void check(), CHECK_MS).unref()
  }

  #retry(client: Client): void {
    if (this.#isClosed || this.#client !== client) return
    clearInterval(this.#checking)
    this.#client = undefined
    void client.end().catch(() => undefined)
    this.#again = setTimeout(() => {
      this.#again = undefined
      void this.#connect()
    }, AGAIN_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#again)
    clearInterval(this.#checking)
    await this.#client?.end().catch(() => undefined)
  }
}
