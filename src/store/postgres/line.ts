import {
  Client,
  type ClientConfig,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
} from 'pg'

/**
 * One connection that is sent a call while it still works on the one before: the server does them one after
 * the other, in their order, and neither side waits for the other.
 */
export class Line implements AsyncDisposable {
  readonly #config: ClientConfig
  readonly #greet: (client: Client) => Promise<void>
  #client: Promise<Client> | undefined

  constructor(config: ClientConfig, greet: (client: Client) => Promise<void>) {
    this.#config = config
    this.#greet = greet
  }

  async query<Row extends QueryResultRow>(query: QueryConfig): Promise<QueryResult<Row>> {
    const client = await (this.#client ??= this.#connect())
    return client.query<Row>(query)
  }

  #connect(): Promise<Client> {
    const client = new Client({ ...this.#config, pipeline: true })
    const connected = client.connect().then(async () => {
      await this.#greet(client)
      return client
    })
    const forget = () => {
      if (this.#client === connected) this.#client = undefined
    }
    client.on('error', forget).on('end', forget)
    connected.catch(() => {
      forget()
      void client.end().catch(() => undefined)
    })
    return connected
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.end()
  }
}
