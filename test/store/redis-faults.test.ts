import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { Redis } from 'ioredis'
import { hasCode } from '../../src/job/errors.ts'
import { packId } from '../../src/store/redis/pack.ts'
import { RedisStore } from '../../src/store/redis/store.ts'
import { batchOf, open as begin, stop } from '../support/batches.ts'
import { accepted, Hand, idsOf, only, seen } from '../support/hand.ts'
import { bytes, chore, chores, completed, failed, released } from '../support/jobs.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { eventually } from '../support/until.ts'

const PATIENCE = { timeout: 30_000 }
const FAILS_WITHIN_MS = 5500

/** Its own words would come between ours and its pid. */
const startServer = (...more: string[]) => RedisServer.start('--logfile', '/dev/null', ...more)

const server = await startServer()
const admin = new Redis(server.url)
admin.on('error', () => undefined)
const open = () => RedisStore.open(server.url)

after(async () => {
  admin.disconnect()
  await server[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await admin.flushall()
})

test('a server that keeps no file is refused, unless it is asked for', async () => {
  await using forgetful = await startServer('--appendonly', 'no')
  await assert.rejects(
    () => RedisStore.open(forgetful.url),
    (error) => hasCode(error, 'STORE_UNSAFE'),
  )
  await using store = await RedisStore.open(forgetful.url, { durability: 'none' })
  assert.equal(store.about.durability, 'none')
})

test('a server that evicts is refused, unless it has no limit', async () => {
  const policy = ['--maxmemory-policy', 'allkeys-lru']
  await using evicting = await startServer('--maxmemory', '50mb', ...policy)
  await assert.rejects(
    () => RedisStore.open(evicting.url),
    (error) => hasCode(error, 'STORE_UNSAFE'),
  )
  await using boundless = await startServer(...policy)
  await using store = await RedisStore.open(boundless.url)
  assert.deepEqual([store.about.kind, store.about.durability], ['redis', 'AOF everysec'])
})

test('what a store says of itself holds no password', async () => {
  await using guarded = await startServer()
  const keeper = new Redis(guarded.url)
  await keeper.config('SET', 'requirepass', 'hushhush')
  keeper.disconnect()
  const address = `127.0.0.1:${guarded.port}`
  await using store = await RedisStore.open(`redis://:hushhush@${address}/3?prefix=shop`)
  assert.equal(store.about.location, `${address}/3`)
  assert.equal((await store.insert(chores(1))).length, 1)
  await assert.rejects(
    () => RedisStore.open(`redis://:wrong-one@${address}`),
    (error) => hasCode(error, 'STORE_UNREACHABLE') && !String(error).includes('wrong-one'),
  )
})

test('a store written by a newer release is refused', async () => {
  await admin.set('{errand}:store', '0192 99')
  await assert.rejects(open, (error) => hasCode(error, 'SCHEMA_TOO_NEW'))
})

test('scripts that the server forgot are sent again', async () => {
  await using store = await open()
  const jobs = chores(200)
  const calls = jobs.map(async (job, i) => {
    if (i % 20 === 0) await admin.script('FLUSH')
    return store.insert([job])
  })
  await Promise.all(calls)
  assert.equal(only(await store.tally()).ready, 200)
})

test('keys of others are left alone, and prefixes know nothing of each other', async () => {
  await admin.mset('errand:store', '1', '{errand', '2', 'other', '3')
  await using store = await open()
  await using neighbour = await RedisStore.open(server.url, { prefix: 'shop' })
  const worker = await Hand.register(store)
  await store.insert(chores(3, { tags: ['blue'] }))
  await neighbour.insert(chores(2))
  await worker.settleAll(await worker.claim(3), completed({ keepMs: 0 }))
  await eventually(async () => (await store.purge(10)).erased > 0)
  assert.deepEqual(await admin.mget('errand:store', '{errand', 'other'), ['1', '2', '3'])
  assert.equal(only(await neighbour.tally()).ready, 2)
  const strays = (await admin.keys('*')).filter((key) => !/^\{(errand|shop)\}:/.test(key))
  assert.deepEqual(strays.toSorted(), ['errand:store', 'other', '{errand'])
})

test('a store that was wiped is not taken for an empty one', async () => {
  await using store = await open()
  const worker = await Hand.register(store)
  await store.insert(chores(1))
  await admin.flushall()
  const calls = [
    () => store.insert(chores(1)),
    () => worker.exchange([], 1),
    () => worker.renew(),
    () => store.find(idsOf(chores(1))),
    () => store.tally(),
    () => store.ping(),
    () => store.verify(),
  ]
  for (const call of calls) await assert.rejects(call, (error) => hasCode(error, 'STORE_CHANGED'))
  assert.deepEqual(await admin.keys('*'), [])
})

test('a full server takes nothing in, and lets everything end', PATIENCE, async () => {
  await using small = await startServer('--maxmemory', '20mb')
  await using store = await RedisStore.open(small.url)
  const worker = await Hand.register(store)
  await store.insert(chores(100))
  const held = await worker.claim(100)
  const early = batchOf()
  await begin(store, early)
  const full = await eventually(async () => {
    try {
      await store.insert(chores(200, { input: Buffer.alloc(4000, 1) }))
      return undefined
    } catch (error) {
      return error
    }
  })
  assert(hasCode(full, 'STORE_FULL'))
  assert.match(only(await store.warnings()), /of maxmemory is used/)
  const { accepted: before } = only(await store.tally())
  assert.equal(before % 200, 100)
  const keeper = new Redis(small.url)
  await keeper.config('SET', 'maxmemory', '2mb')
  keeper.disconnect()
  await assert.rejects(begin(store, batchOf()), (error) => hasCode(error, 'STORE_FULL'))
  assert.equal((await stop(store, early.id))?.stopped, 'asked')

  assert.deepEqual(await worker.renew(bytes('1')), { alive: true, cancelAsked: [] })
  assert.equal(await worker.note(held[0] ?? assert.fail(), { progress: bytes('1') }), 'done')
  const answers = await worker.settleAll(held, completed({ result: bytes('done') }))
  assert.deepEqual(new Set(answers), new Set(['done']))
  assert.equal(accepted(await worker.exchange([], 5)).jobs.length, 5)
  assert.deepEqual(await store.verify(), [])
})

test('nothing accepted is lost when the server is killed, and work goes on', PATIENCE, async () => {
  // At everysec Redis answers before it appends while the sync of the second before is under way.
  await using mortal = await RedisServer.start('--appendfsync', 'always')
  await using store = await RedisStore.open(mortal.url)
  const worker = await Hand.register(store)
  await store.insert(chores(50))
  const held = await worker.claim(20)
  const rings = Promise.withResolvers<void>()
  using _ear = store.listen('ready', rings.resolve)

  await mortal.kill()
  const since = performance.now()
  await assert.rejects(
    () => store.insert(chores(1)),
    (error) => hasCode(error, 'STORE_UNREACHABLE'),
  )
  assert(performance.now() - since < FAILS_WITHIN_MS)
  await assert.rejects(
    () => RedisStore.open(mortal.url),
    (error) => hasCode(error, 'STORE_UNREACHABLE'),
  )

  await mortal.start()
  await eventually(() =>
    store.ping().then(
      () => true,
      () => false,
    ),
  )
  await rings.promise
  assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [] })
  assert.deepEqual(new Set(await worker.settleAll(held, completed())), new Set(['done']))
  assert.equal((await worker.claim(100)).length, 30)
  assert.deepEqual(await store.verify(), [])
})

test('a call whose reply was lost is sent again, and happens once', PATIENCE, async () => {
  await using store = await open()
  const worker = await Hand.register(store)
  await store.insert(chores(400))
  const claimed: string[] = []
  for (let round = 0; round < 40; round++) {
    const trip = worker.exchange([], 5)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal')
    claimed.push(...idsOf(accepted(await trip).jobs))
  }
  assert.equal(new Set(claimed).size, 200)
  assert.equal(only(await store.tally()).running, 200)
})

test('a replica is no store to write to', PATIENCE, async () => {
  await using primary = await startServer()
  await using store = await open()
  await admin.replicaof('127.0.0.1', primary.port)
  await assert.rejects(
    () => store.insert(chores(1)),
    (error) => hasCode(error, 'STORE_UNREACHABLE'),
  )
  await admin.replicaof('NO', 'ONE')
})

test('an entry in the list of a cancelled job never hands it out a second way', async () => {
  await using store = await open()
  const worker = await Hand.register(store)
  const jobs = chores(20)
  const [first, second] = jobs
  assert(first && second)
  await store.insert(jobs)
  const outcome = { to: 'cancelled', keepMs: 0 } as const
  await store.cancel([first, second].map(({ id }) => ({ id, outcome })))
  await store.retry([first.id])
  await eventually(async () => (await store.purge(10)).erased === 1)
  await store.insert([chore({ id: second.id, queue: 'other' })])

  const left = idsOf(await worker.claim(30))
  assert.deepEqual(left, [...idsOf(jobs.slice(2)), first.id])
  assert.equal((await seen(store, second.id)).state, 'ready')
  assert.equal((await worker.claim(5, 'other')).length, 1)
  assert.deepEqual(await store.verify(), [])
})

test('a kind that the server lost with its last second is stored again', async () => {
  await using store = await open()
  await store.insert(chores(1))
  await admin.del('{errand}:kinds')
  await store.insert(chores(1))
  const worker = await Hand.register(store)
  await worker.settleAll(await worker.claim(2), failed())
  assert.deepEqual(await store.verify(), [])
})

test('a place whose job is gone holds nobody up', async () => {
  await using store = await open()
  const worker = await Hand.register(store)
  const [due, back, ...others] = chores(5)
  assert(due && back)
  await store.insert([{ ...due, delayMs: 1 }, back])
  await worker.settle(await worker.claimOne(), released())
  await admin.del(
    ...[due, back].map(({ id }) => Buffer.concat([Buffer.from('{errand}:j:'), packId(id)])),
  )
  await store.insert([...others, chore({ delayMs: 1 })])
  const taken = await eventually(async () => {
    const jobs = await worker.claim(5)
    return jobs.length > 0 && jobs
  })
  assert(taken.length >= 3)
})
