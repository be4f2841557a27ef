import { after } from 'node:test'
import { Redis } from 'ioredis'
import { RedisStore } from '../../src/store/redis/store.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { emptied } from '../support/servers/emptied.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { histories } from './histories.ts'

const redis = await RedisServer.start()
const admin = new Redis(redis.url)
const server = await PostgresServer.start()
const postgres = await emptied(server.url, 'errand', 1)
after(async () => {
  admin.disconnect()
  for (const used of [postgres, server, redis]) await used[Symbol.asyncDispose]()
})

histories('SQLite', (clock) => SqliteStore.open(':memory:', { clock }))
histories('Redis', async (clock) => {
  await admin.flushall()
  return RedisStore.open(redis.url, { clock })
})
histories('PostgreSQL', (clock) => postgres.store(clock))
