import { Client } from 'pg'
import { defineJob } from '../../src/job/define.ts'
import type { Transaction } from '../../src/store/contract.ts'
import { type Errand, open } from '../../src/open.ts'
import { anything } from './schema.ts'

export const plain = defineJob({ name: 'plain', input: anything() })
export const once = defineJob({ name: 'once', input: anything<string>(), unique: { by: String } })
const JOBS = [plain, once]

/** Errand on a schema of its own, and connections that are the caller's own. */
export class Stage implements AsyncDisposable {
  static #count = 0
  readonly url: string
  readonly schema: string
  readonly errand: Errand
  readonly #server: string
  readonly #clients: Client[] = []

  private constructor(server: string, schema: string, url: string, errand: Errand) {
    this.#server = server
    this.schema = schema
    this.url = url
    this.errand = errand
  }

  static async open(server: string): Promise<Stage> {
    const schema = `stage_${++Stage.#count}`
    const url = `${server}?schema=${schema}`
    return new Stage(server, schema, url, await open(url, { jobs: JOBS }))
  }

  async connect(user?: string): Promise<Client> {
    const place = new URL(this.#server)
    if (user !== undefined) place.username = user
    const client = new Client({ connectionString: place.href })
    client.on('error', () => undefined)
    await client.connect()
    // What waits for good is to fail, not to hang.
    await client.query(`set lock_timeout = '5s'`)
    this.#clients.push(client)
    return client
  }

  /** A connection within a transaction. */
  async begin(level = 'read committed'): Promise<Client> {
    const client = await this.connect()
    await client.query(`begin isolation level ${level}`)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.end()
    await this.errand[Symbol.asyncDispose]()
  }
}

/** Counts what is sent within a transaction. */
export function counted(client: Client): Transaction & { sent: string[] } {
  const sent: string[] = []
  return {
    sent,
    query(text, values) {
      sent.push(text)
      return client.query(text, values)
    },
  }
}
