import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { hasCode } from '../../src/job/errors.ts'
import { RedisStore } from '../../src/store/redis/store.ts'
import { only } from '../support/hand.ts'
import { chores } from '../support/jobs.ts'
import { Move, RedisCluster } from '../support/servers/cluster.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { conform } from './conform.ts'

/** Of `{errand}`. */
const SLOT = 605

const cluster = await RedisCluster.start()
after(() => cluster[Symbol.asyncDispose]())
const [first, second] = [cluster.at(0), cluster.at(1)]

let prefixes = 0
/** Every prefix has its slot, and so its server. */
async function freshPrefix(): Promise<string> {
  for (const { admin } of cluster.members) await admin.flushall()
  return `test${++prefixes}`
}

conform('Redis Cluster', async (clock) =>
  RedisStore.open(cluster.url, { clock, prefix: await freshPrefix() }),
)

test('what a store is told of its server is told by the one that owns its slot', async () => {
  await first.admin.config('SET', 'appendfsync', 'always')
  await using store = await RedisStore.open(cluster.url)
  assert.equal(store.about.durability, 'AOF always')
  await store.insert(chores(1))
  await second.admin.config('SET', 'maxmemory', '1')
  assert.deepEqual(await store.warnings(), [])

  const move = await Move.begin(first, second, SLOT)
  await second.admin.config('SET', 'maxmemory', '0')
  await move.end()
  await second.admin.config('SET', 'maxmemory', '1')
  assert.match(only(await store.warnings()), /of maxmemory is used/)
  await second.admin.config('SET', 'maxmemory', '0')
  assert.equal(only(await store.tally()).ready, 1)
  assert.deepEqual(await store.verify(), [])
})

test('one server that is alive is enough to find the owner', async () => {
  const { port } = cluster.at(2).server
  await using store = await RedisStore.open(`redis-cluster://127.0.0.1:1,127.0.0.1:${port}`)
  await store.ping()
})

test('a server that is in no cluster, or that has another store, is told as such', async () => {
  await using alone = await RedisServer.start()
  await assert.rejects(
    RedisStore.open(`redis-cluster://127.0.0.1:${alone.port}`),
    (error) => hasCode(error, 'STORE_UNREACHABLE') && /cluster support/.test(error.message),
  )
  await assert.rejects(
    RedisStore.open(cluster.at(2).server.url),
    (error) => hasCode(error, 'STORE_UNREACHABLE') && /another server/.test(error.message),
  )
})
