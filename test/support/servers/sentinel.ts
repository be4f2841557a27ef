import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { eventually } from '../until.ts'
import { RedisServer } from './redis.ts'
import { freePort, freshFolder, Server } from './server.ts'

const HOST = '127.0.0.1'
const NAME = 'errand'
const SENTINELS = 3

/** One of those who watch over a primary. */
class Sentinel extends Server {
  protected readonly options = {}

  private constructor(folder: string, port: number) {
    super(folder, port)
  }

  static async start(primary: RedisServer): Promise<Sentinel> {
    const sentinel = new Sentinel(freshFolder('sentinel'), await freePort())
    const lines = [
      `port ${sentinel.port}`,
      `bind ${HOST}`,
      `dir ${sentinel.folder}`,
      `sentinel monitor ${NAME} ${HOST} ${primary.port} 2`,
      `sentinel down-after-milliseconds ${NAME} 1000`,
      `sentinel failover-timeout ${NAME} 5000`,
    ]
    writeFileSync(join(sentinel.folder, 'sentinel.conf'), lines.join('\n'))
    return sentinel.start()
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`
  }

  protected get command(): readonly string[] {
    return ['redis-server', join(this.folder, 'sentinel.conf'), '--sentinel']
  }

  /** Ready to depose a primary: it knows the others, and who could take its place. */
  async isReady(): Promise<boolean> {
    const said = await this.#ask('CKQUORUM')
    const replicas = await this.#ask('REPLICAS')
    return (
      new RegExp(`OK ${SENTINELS}`).test(String(said)) &&
      Array.isArray(replicas) &&
      replicas.length > 0
    )
  }

  protected async greet(): Promise<void> {
    await this.#ask('GET-MASTER-ADDR-BY-NAME')
  }

  async #ask(question: string): Promise<unknown> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: null })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.call('SENTINEL', question, NAME)
    } finally {
      client.disconnect()
    }
  }
}

/** A primary, its replica, and three sentinels that put the one in the place of the other. */
export class WatchedRedis implements AsyncDisposable {
  readonly primary: RedisServer
  readonly replica: RedisServer
  readonly #sentinels: readonly Sentinel[]

  private constructor(primary: RedisServer, replica: RedisServer, sentinels: readonly Sentinel[]) {
    this.primary = primary
    this.replica = replica
    this.#sentinels = sentinels
  }

  static async start(): Promise<WatchedRedis> {
    const primary = await RedisServer.start('--repl-diskless-sync-delay', '0')
    const replica = await RedisServer.start('--replicaof', HOST, `${primary.port}`)
    await eventually(() => replica.isReplica())
    const starting = Array.from({ length: SENTINELS }, () => Sentinel.start(primary))
    const sentinels = await Promise.all(starting)
    for (const sentinel of sentinels) await eventually(() => sentinel.isReady().catch(() => false))
    return new WatchedRedis(primary, replica, sentinels)
  }

  get url(): string {
    const hosts = this.#sentinels.map(({ port }) => `${HOST}:${port}`).join(',')
    return `redis-sentinel://${hosts}/${NAME}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [...this.#sentinels, this.replica, this.primary])
      await server[Symbol.asyncDispose]()
  }
}
