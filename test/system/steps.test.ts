import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasEnded } from '../support/alive.ts'
import { workplace } from '../support/place.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { readStores, type StoreName } from '../support/stores.ts'

/** A server of its own where the store needs one. */
async function serverOf(name: StoreName): Promise<RedisServer | PostgresServer | undefined> {
  if (name === 'sqlite') return undefined
  return name === 'redis' ? RedisServer.start() : PostgresServer.start()
}

for (const name of readStores())
  test(`no recorded step is repeated when executors and workers are killed after each (${name})`, async () => {
    await using server = await serverOf(name)
    const url = server?.url
    await using place = await workplace(url === undefined ? {} : { ERRAND_STORE: url }, url)
    const file = join(place.here.folder, 'effects')
    const first = place.here.start('worker')
    await first.said('worker started')
    const { id } = await place.errand.enqueue('chain', { file })

    const executor = await place.runner(id)
    process.kill(executor, 'SIGKILL')
    await hasEnded(executor)
    // Its jobs run again at once: the first step is there, the second has just been done.
    await place.pidsOf(id, 2)
    first.signal('SIGKILL')
    await place.here.start('worker').said('worker started')
    const view = await place.errand.ended(id, 20_000)

    assert.deepEqual([view.state, view.result], ['completed', ['a', 'b', 'c']])
    assert.equal(readFileSync(file, 'utf8'), 'a\nb\nc\n')
    const steps = await place.errand.steps(id)
    assert.deepEqual(
      steps.map((step) => step.name),
      ['a', 'b', 'c'],
    )
    assert.deepEqual(await place.errand.verify(), [])
  })
