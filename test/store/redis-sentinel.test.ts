import { after } from 'node:test'
import { Redis } from 'ioredis'
import { RedisStore } from '../../src/store/redis/store.ts'
import { WatchedRedis } from '../support/servers/sentinel.ts'
import { conform } from './conform.ts'

const redis = await WatchedRedis.start()
const admin = new Redis(redis.primary.url)
after(async () => {
  admin.disconnect()
  await redis[Symbol.asyncDispose]()
})

let prefixes = 0
conform('Redis behind sentinels', async (clock) => {
  await admin.flushall()
  return RedisStore.open(redis.url, { clock, prefix: `test${++prefixes}` })
})
