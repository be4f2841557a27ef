import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { hasCode } from '../../src/job/errors.ts'
import { packId } from '../../src/store/redis/pack.ts'
import { RedisStore } from '../../src/store/redis/store.ts'
import { Hand, only } from '../support/hand.ts'
import { chores, completed } from '../support/jobs.ts'
import { Move, RedisCluster } from '../support/servers/cluster.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { conform } from './conform.ts'

/** Of `{errand}`, on the first server, and of `{moving}`, on the third. */
const SLOT = 605
const MOVING_SLOT = 14_604

const cluster = await RedisCluster.start()
after(() => cluster[Symbol.asyncDispose]())
const [one, two, three] = [cluster.at(0), cluster.at(1), cluster.at(2)]

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
  await one.admin.config('SET', 'appendfsync', 'always')
  await using store = await RedisStore.open(cluster.url)
  assert.equal(store.about.durability, 'AOF always')
  await store.insert(chores(1))
  await two.admin.config('SET', 'maxmemory', '1')
  assert.deepEqual(await store.warnings(), [])

  const move = await Move.begin(one, two, SLOT)
  await two.admin.config('SET', 'maxmemory', '0')
  await move.end()
  await two.admin.config('SET', 'maxmemory', '1')
  assert.match(only(await store.warnings()), /of maxmemory is used/)
  await two.admin.config('SET', 'maxmemory', '0')
  assert.equal(only(await store.tally()).ready, 1)
  assert.deepEqual(await store.verify(), [])
})

test('a call that is refused while its slot is being moved has changed nothing', async () => {
  await using store = await RedisStore.open(cluster.url, { prefix: 'moving' })
  const worker = await Hand.register(store)
  await store.insert(chores(2))
  const held = await worker.claim(2)
  const move = await Move.begin(three, two, MOVING_SLOT)
  const away = Buffer.concat([Buffer.from('{moving}:j:'), packId(held[1]?.id ?? '')])
  await move.carry((key) => key.equals(away))
  const isMoving = (error: unknown) =>
    hasCode(error, 'STORE_UNREACHABLE') && /is moving the store/.test(error.message)
  await Promise.all([
    // Of what this writes the first is there and the second is not.
    assert.rejects(store.retire(worker.id), isMoving),
    assert.rejects(worker.settleAll(held, completed()), isMoving),
    assert.rejects(store.insert(chores(1)), isMoving),
    assert.rejects(store.tally(), isMoving),
  ])
  await move.end()
  assert.equal(only(await store.workers()).alive, true)
  assert.deepEqual(await worker.settleAll(held, completed()), ['done', 'done'])
  assert.deepEqual(await store.verify(), [])
})

test('one server that is alive is enough to find the owner', async () => {
  const { port } = three.server
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
    RedisStore.open(three.server.url),
    (error) => hasCode(error, 'STORE_UNREACHABLE') && /another server/.test(error.message),
  )
})
