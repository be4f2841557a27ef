import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/job/errors.ts'
import { Move, RedisCluster } from '../support/servers/cluster.ts'
import { Traffic } from '../support/traffic.ts'
import { eventually } from '../support/until.ts'

/** Of `{errand}`, the key there that every call names, and the ones it writes last. */
const SLOT = 605
const NAMED = '{errand}:store'
const LAST = '{errand}:tally:'

/** Resolves once callers were sent away because keys are elsewhere. */
async function isRefused({ refusals }: Traffic): Promise<void> {
  const from = refusals.length
  await eventually(() => refusals.length > from)
}

test('while its slot is moved to another server of the cluster nothing is half done, and then all goes on', async () => {
  await using cluster = await RedisCluster.start()
  await using traffic = await Traffic.open(cluster.url)
  await traffic.flows()

  const there = await Move.begin(cluster.at(0), cluster.at(1), SLOT)
  // Calls still reach the server they always did, which could do nearly all that they ask for.
  await there.carry((key) => String(key).startsWith(LAST))
  await isRefused(traffic)
  const told = await traffic.errand.queues().catch((error: unknown) => error)
  await there.end()
  await traffic.flows()

  const back = await Move.begin(cluster.at(1), cluster.at(0), SLOT)
  await back.carry((key) => String(key) === NAMED)
  await isRefused(traffic)
  await back.end()
  await traffic.flows()

  assert.deepEqual(await traffic.end(), { lost: [], again: [] })
  assert.deepEqual(await traffic.errand.verify(), [])
  await traffic.rings()
  assert(hasCode(told, 'STORE_UNREACHABLE'), String(told))
  for (const refusal of [...traffic.refusals, ...traffic.complaints])
    assert(hasCode(refusal, 'STORE_UNREACHABLE') || hasCode(refusal, 'STORE_BUSY'), String(refusal))
})
