import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PostgresStore } from '../../src/store/postgres/store.ts'
import { HandClock } from '../support/clock.ts'
import { Hand } from '../support/hand.ts'
import { bytes, chores, completed } from '../support/jobs.ts'
import { PostgresServer } from '../support/servers/postgres.ts'

const server = await PostgresServer.start()
after(() => server[Symbol.asyncDispose]())

test('a note that leaves before the settlement of its job is written, although nobody waits for it', async () => {
  await using store = await PostgresStore.open(server.url, { clock: new HandClock() })
  const hand = await Hand.register(store)
  await store.insert(chores(50))
  for (const job of await hand.claim(50)) {
    const noted = store.note(hand.id, [{ ...job, progress: bytes('nearly') }])
    const settled = hand.settle(job, completed())
    assert.deepEqual(await Promise.all([noted, settled]), [['done'], 'done'])
  }
})
