import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { Redis } from 'ioredis'
import { newId } from '../../src/base/id.ts'
import { packId } from '../../src/store/redis/pack.ts'
import { RedisStore } from '../../src/store/redis/store.ts'
import { change } from '../support/entries.ts'
import { Hand } from '../support/hand.ts'
import { again, chores, completed, DAY, failed, HOUR, parked } from '../support/jobs.ts'
import { RedisServer } from '../support/servers/redis.ts'

const server = await RedisServer.start()
const admin = new Redis(server.url)
after(async () => {
  admin.disconnect()
  await server[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await admin.flushall()
})

const p = (key: string) => `{errand}:${key}`
const at = (key: string, id: string) => Buffer.concat([Buffer.from(p(key)), packId(id)])

/** One job in each place, by the name of its place. */
async function oneEach(store: RedisStore) {
  const worker = await Hand.register(store)
  const unique = { value: 'x', until: 'kept', onConflict: 'join' } as const
  const given = [...chores(5), ...chores(1, { unique, tags: ['blue'] })]
  await store.insert(given)
  const [held, done, broken, waiting, retried, kept] = await worker.claim(6)
  assert(held && done && broken && waiting && retried && kept)
  await worker.settle(done, completed({ keepMs: DAY }))
  await worker.settle(broken, failed())
  await worker.settle(waiting, parked())
  await worker.settle(retried, again(HOUR))
  await worker.settle(kept, completed())
  const [ready] = chores(1)
  assert(ready)
  await store.insert([ready])
  await store.put([change({ at: Date.now() })])
  const batch = { id: newId(), job: 'chore', tenant: '', keepMs: HOUR }
  await store.insert(chores(2, { queue: 'few', limits: [{ key: 'a', running: 1 }] }))
  await store.changeBatch(batch.id, { to: 'open', batch })
  const place = { batch: batch.id, index: 0 }
  await store.fillBatch(batch.id, chores(1, { queue: 'items', place }))
  return { worker, held, done, broken, waiting, retried, kept, ready, batch }
}

type Everyone = Awaited<ReturnType<typeof oneEach>>

/** What is broken on purpose, and the laws that must say so. */
const BREAKAGES: Record<string, [(all: Everyone) => Promise<unknown>, readonly string[]]> = {
  'a counter that went astray': [
    () => admin.hincrby(p('tally:default'), 'accepted', 1),
    ['accepted = ended + live + erased'],
  ],
  'two counters that went astray together': [
    async () => {
      await admin.hincrby(p('tally:default'), '1', 1)
      await admin.hincrby(p('tally:default'), '4', -1)
    },
    ['counters agree with what is stored'],
  ],
  'an entry that nobody will look for': [
    () => admin.zrem(p('due:note'), 'a'),
    ['an entry is wanted when it says so'],
  ],
  'a moment of no entry': [
    () => admin.zadd(p('due:note'), 1, 'b'),
    ['an entry is wanted when it says so'],
  ],
  'a lost row': [
    ({ done }) => admin.del(at('j:', done.id)),
    ['counters agree with what is stored'],
  ],
  'a lost receipt': [
    ({ worker }) => admin.del(at('receipts:', worker.id)),
    ['a running job stands in exactly one receipt of its worker'],
  ],
  'a receipt that counts wrong': [
    ({ worker }) => admin.hincrby(at('open:', worker.id), '1', 1),
    ['a receipt counts the jobs that still run'],
  ],
  'a worker struck off too early': [
    ({ worker }) => admin.srem(p('workers'), packId(worker.id)),
    ['every receipt has its worker'],
  ],
  'a job that left the line unseen': [
    () => admin.del(p('ready:5:default')),
    ['a job stands where its state says, once'],
  ],
  'a job that is due nowhere': [
    () => admin.del(p('scheduled')),
    ['a job stands where its state says, once'],
  ],
  'an ending that is never purged': [
    () => admin.del(p('ended')),
    ['every ended job has a time to go'],
  ],
  'a value that nobody holds': [() => admin.del(p('unique')), ['a held value names its holder']],
  'a lost kind': [() => admin.del(p('kinds')), ['every body has its policy']],
  'a lost seat': [() => admin.del(p('turns:0')), ['every job has its turn']],
  'a key that counts wrong': [
    () => admin.hincrby(p('places'), 'a', 1),
    ['a key counts the places it gave, and those that wait'],
  ],
  'a batch that counts wrong': [
    ({ batch }) => admin.hincrby(at('batch:', batch.id), 'failed', 1),
    ['a batch counts its items'],
  ],
  'a lost batch': [
    ({ batch }) => Promise.all([admin.del(at('batch:', batch.id)), admin.del(p('batches'))]),
    ['every item has its batch'],
  ],
  'a batch that nobody will stop': [
    () => admin.del(p('batches:open')),
    ['a batch lies where it stands'],
  ],
  'what was left by nobody': [
    () => admin.rpush(at('logs:', chores(1)[0]?.id ?? ''), 'line'),
    ['what was left has its job: log'],
  ],
}

for (const [name, [damage, laws]] of Object.entries(BREAKAGES))
  test(`verify tells of ${name}`, async () => {
    await using store = await RedisStore.open(server.url)
    const all = await oneEach(store)
    assert.deepEqual(await store.verify(), [])
    await damage(all)
    const told = new Set((await store.verify()).map(({ law }) => law))
    for (const law of laws) assert(told.has(law), `${law}: ${[...told].join('; ')}`)
  })

test('verify finds nothing wrong with a store that is at work', async () => {
  await using store = await RedisStore.open(server.url)
  await using other = await RedisStore.open(server.url)
  const worker = await Hand.register(other)
  await other.insert(chores(300))
  const over = new AbortController()
  const work = async () => {
    while (!over.signal.aborted) {
      const jobs = await worker.claim(20)
      await worker.settleAll(jobs.slice(0, 10), again(0))
      await worker.settleAll(jobs.slice(10), completed({ keepMs: 0 }))
      await other.insert(chores(10))
      await other.purge(100)
    }
  }
  const working = work()
  for (let look = 0; look < 3; look++) assert.deepEqual(await store.verify(), [])
  over.abort()
  await working
})
