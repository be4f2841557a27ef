import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/job/errors.ts'
import { Move, RedisCluster } from '../support/servers/cluster.ts'
import { Traffic } from '../support/traffic.ts'
import { eventually } from '../support/until.ts'

/** Of `{errand}`, and the key there that every call names. */
const SLOT = 605
const NAMED = '{errand}:store'

/** Resolves once callers were sent away because half of the keys are elsewhere. */
async function isRefused({ refusals }: Traffic): Promise<void> {
  const from = refusals.length
  await eventually(() => refusals.length > from)
}

test('while its slot is moved to another server of the cluster nothing is half done, and then all goes on', async () => {
  await using cluster = await RedisCluster.start()
  await using traffic = await Traffic.open(cluster.url)
  await traffic.flows()

  const there = await Move.begin(cluster.at(0), cluster.at(1), SLOT)
  // Calls still reach the server they always did; the half of what they would touch is gone.
  await there.carry((key, i) => key !== NAMED && i % 2 === 0)
  await isRefused(traffic)
  await assert.rejects(traffic.errand.queues(), (error) => hasCode(error, 'STORE_UNREACHABLE'))
  await there.end()
  await traffic.flows()

  const back = await Move.begin(cluster.at(1), cluster.at(0), SLOT)
  // The key that calls name is gone, all others are still there.
  await back.carry((key) => key === NAMED)
  await isRefused(traffic)
  await back.end()
  await traffic.flows()

  assert.deepEqual(await traffic.end(), { lost: [], again: [] })
  for (const refusal of [...traffic.refusals, ...traffic.complaints])
    assert(hasCode(refusal, 'STORE_UNREACHABLE') || hasCode(refusal, 'STORE_BUSY'), String(refusal))
  assert.deepEqual(await traffic.errand.verify(), [])
})
