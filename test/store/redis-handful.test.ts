import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RedisStore } from '../../src/store/redis/store.ts'
import { accepted, Hand } from '../support/hand.ts'
import { bytes, chores } from '../support/jobs.ts'
import { RedisServer } from '../support/servers/redis.ts'

/** What Redis sends of a reply before it runs the next command. */
const AT_ONCE = 64 * 1024
const INPUT = 300

test('once it is known how large jobs are, a trip brings no more than Redis sends at once', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisStore.open(server.url)
  await store.insert(chores(500, { input: bytes('x'.repeat(INPUT)) }))
  const hand = await Hand.register(store)
  assert.equal((await hand.claim(100)).length, 100)

  const cut = accepted(await hand.exchange([], 400))
  assert(cut.jobs.length < 400 && cut.jobs.length * INPUT < AT_ONCE, `${cut.jobs.length} jobs`)
  assert(cut.jobs.length > 100)
  assert.equal(cut.nextDueMs, 0, 'more lie there')

  for (let left = 400 - cut.jobs.length; left > 0;) {
    const rest = accepted(await hand.exchange([], 400))
    left -= rest.jobs.length
    if (left === 0) assert.notEqual(rest.nextDueMs, 0, 'that was all')
  }
})
