import { after } from 'node:test'
import { Redis } from 'ioredis'
import { RedisStore } from '../../src/store/redis/store.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { emptied } from '../support/servers/emptied.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { readStores } from '../support/stores.ts'
import { histories } from './histories.ts'

const stores = readStores()
const used = new AsyncDisposableStack()
after(() => used.disposeAsync())

if (stores.includes('sqlite'))
  histories('SQLite', (clock) => SqliteStore.open(':memory:', { clock }))
if (stores.includes('redis')) {
  const { url } = used.use(await RedisServer.start())
  const admin = used.adopt(new Redis(url), async (client) => client.disconnect())
  histories('Redis', async (clock) => {
    await admin.flushall()
    return RedisStore.open(url, { clock })
  })
}
if (stores.includes('postgres')) {
  const { url } = used.use(await PostgresServer.start())
  const postgres = used.use(await emptied(url, 'errand', 1))
  histories('PostgreSQL', (clock) => postgres.store(clock))
}
