import { PostgresServer } from './servers/postgres.ts'
import { RedisServer } from './servers/redis.ts'
import type { Server } from './servers/server.ts'
import type { StoreName } from './stores.ts'

/** A store to stand tests on: files, or a server of our own that keeps what it has accepted. */
export type Ground = AsyncDisposable & {
  name: StoreName
  server?: Server
  /** The URL of an empty store; a file lies in the folder. */
  fresh(folder: string): string
}

export async function openGround(name: StoreName, postgres?: string): Promise<Ground> {
  if (name === 'sqlite')
    return {
      name,
      fresh: (folder) => `sqlite:${folder}/errand.db`,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  const server = await startServer(name, postgres)
  let count = 0
  return {
    name,
    server,
    fresh: () => `${server.url}?${name === 'redis' ? 'prefix' : 'schema'}=place${++count}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Redis answers before it has appended while a sync of the second before is under way: it is held to `always`. */
export const startServer = (
  name: Exclude<StoreName, 'sqlite'>,
  postgres = 'max_connections=200',
): Promise<Server> =>
  name === 'redis' ? RedisServer.start('--appendfsync', 'always') : PostgresServer.start(postgres)
