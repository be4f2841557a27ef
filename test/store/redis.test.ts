import assert from 'node:assert/strict'
import { after } from 'node:test'
import { Redis } from 'ioredis'
import { RedisStore } from '../../src/store/redis/store.ts'
import { rotate } from '../support/rotation.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { conform } from './conform.ts'

const server = await RedisServer.start()
const admin = new Redis(server.url)
after(async () => {
  admin.disconnect()
  await server[Symbol.asyncDispose]()
})

let prefixes = 0
/** A prefix of its own; what the clause before left is gone, so that looking at everything stays cheap. */
async function freshPrefix(): Promise<string> {
  await admin.flushall()
  return `test${++prefixes}`
}

conform('Redis', async (clock) =>
  RedisStore.open(server.url, { clock, prefix: await freshPrefix() }),
)

conform('Redis over eight connections', async (clock) => {
  const prefix = await freshPrefix()
  const open = () => RedisStore.open(server.url, { clock, prefix })
  const [first, ...others] = await Promise.all(Array.from({ length: 8 }, open))
  assert(first)
  return rotate(first, ...others)
})
