import { Redis } from 'ioredis'
import { freePort, freshFolder, Server } from './server.ts'

/** A Redis that appends to its file every second, unless told otherwise. */
export class RedisServer extends Server {
  protected readonly options = {}
  readonly #more: readonly string[]
  #once: readonly string[] = []

  private constructor(folder: string, port: number, more: readonly string[]) {
    super(folder, port)
    this.#more = more
  }

  /** `more` are lines of its configuration as arguments: `--appendonly no`, `--maxmemory 20mb`. */
  static async start(...more: string[]): Promise<RedisServer> {
    return new RedisServer(freshFolder('redis'), await freePort(), more).start()
  }

  /** As `start`, with these lines for this time. */
  async startWith(...more: string[]): Promise<void> {
    this.#once = more
    await this.start()
    this.#once = []
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  protected get command(): readonly string[] {
    const place = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder]
    const keeping = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']
    return [
      process.env.REDIS_SERVER ?? 'redis-server',
      ...place,
      ...keeping,
      '--loglevel',
      'warning',
      ...this.#more,
      ...this.#once,
    ]
  }

  /** Whether it is the replica of another, and has caught up. */
  async isReplica(): Promise<boolean> {
    const said = await this.#ask((client) => client.info('replication'))
    return said.includes('role:slave') && said.includes('master_link_status:up')
  }

  protected async greet(): Promise<void> {
    await this.#ask((client) => client.ping())
  }

  async #ask<Reply>(question: (client: Redis) => Promise<Reply>): Promise<Reply> {
    const client = new Redis(this.port, '127.0.0.1', { lazyConnect: true, retryStrategy: null })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await question(client)
    } finally {
      client.disconnect()
    }
  }
}
