import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { ErrandError } from '../../src/job/errors.ts'
import { RedisCluster } from '../support/servers/cluster.ts'
import type { RedisServer } from '../support/servers/redis.ts'
import { WatchedRedis } from '../support/servers/sentinel.ts'
import { Traffic } from '../support/traffic.ts'
import { eventually } from '../support/until.ts'

/** A second until the others agree that it is dead, some for the vote, half for the clients to come along. */
const RESUMED_WITHIN_MS = 8000
const CODES = ['STORE_UNREACHABLE', 'STORE_BUSY']

/** Nobody was told anything but that the store was away. */
function checkTold({ refusals, complaints }: Traffic): void {
  const odd = [...refusals, ...complaints].filter(
    (error) => !(error instanceof ErrandError && CODES.includes(error.code)),
  )
  assert.deepEqual(odd, [])
}

/** Resolves once the replica has all that was accepted before. */
async function confirmed(server: RedisServer): Promise<void> {
  const admin = new Redis(server.url)
  try {
    await admin.set('{errand}', 'written last')
    assert.equal(await admin.wait(1, 5000), 1)
  } finally {
    admin.disconnect()
  }
}

/** Kills the primary under load. What the replica had is done; nobody is restarted but the dead. */
async function outlive(traffic: Traffic, primary: RedisServer): Promise<object> {
  await traffic.flows()
  const safe = traffic.accepted.length
  await confirmed(primary)
  await primary.kill()
  const killedAt = performance.now()
  await traffic.flows()
  const resumedMs = performance.now() - killedAt
  // Accepted by one who was about to die: only these may be lost.
  const unsure = new Set(traffic.accepted.slice(safe))
  await primary.start()
  await traffic.flows()

  const { lost, again } = await traffic.end()
  const told = {
    resumedMs: Math.round(resumedMs),
    accepted: traffic.accepted.length,
    refused: traffic.refusals.length,
    lost: lost.length,
    again: again.length,
  }
  assert.deepEqual(
    lost.filter((id) => !unsure.has(id)),
    [],
  )
  assert(resumedMs < RESUMED_WITHIN_MS, JSON.stringify(told))
  checkTold(traffic)
  assert.deepEqual(await traffic.errand.verify(), [])
  await traffic.rings()
  return told
}

test('work goes on by itself when sentinels have put a replica in the place of a dead primary', async (t) => {
  await using redis = await WatchedRedis.start()
  await using traffic = await Traffic.open(redis.url)
  t.diagnostic(JSON.stringify(await outlive(traffic, redis.primary)))
})

test('in a cluster', async (t) => {
  await using cluster = await RedisCluster.start(1)
  const [primary, replica] = [cluster.at(0), cluster.at(3)]

  await t.test('a failover that was asked for costs nothing', async () => {
    await using traffic = await Traffic.open(cluster.url)
    await traffic.flows()
    await replica.admin.call('CLUSTER', 'FAILOVER')
    await eventually(() => primary.server.isReplica())
    await traffic.flows()
    assert.deepEqual(await traffic.end(), { lost: [], again: [] })
    assert.deepEqual(traffic.refusals, [])
    checkTold(traffic)
    assert.deepEqual(await traffic.errand.verify(), [])
    await traffic.rings()
  })

  await t.test(
    'work goes on by itself when a replica has taken the place of a dead primary',
    async (t) => {
      await using traffic = await Traffic.open(cluster.url)
      t.diagnostic(JSON.stringify(await outlive(traffic, replica.server)))
    },
  )
})
