import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import { ErrandError, hasCode } from '../../src/job/errors.ts'
import type { JobId } from '../../src/job/job.ts'
import type { Store } from '../../src/store/contract.ts'
import { openStore } from '../../src/stores.ts'
import { Hand, idsOf, only } from '../support/hand.ts'
import { chore, chores, completed } from '../support/jobs.ts'
import { startServer } from '../support/ground.ts'
import { Proxy } from '../support/proxy.ts'
import type { Server } from '../support/servers/server.ts'
import { readStores } from '../support/stores.ts'
import { eventually } from '../support/until.ts'

const ROUNDS = 5

/** Whether a call got through; an outage is told as one of the store's errors, never as anything else. */
async function arrives(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    assert(error instanceof ErrandError && error.code.startsWith('STORE_'), String(error))
    return false
  }
}

/** Inserts one batch after another until told to stop; remembers what was accepted. */
async function produce(store: Store, isOver: () => boolean): Promise<JobId[]> {
  const accepted: JobId[] = []
  while (!isOver()) {
    const jobs = chores(20)
    if (await arrives(store.insert(jobs))) accepted.push(...idsOf(jobs))
  }
  return accepted
}

const STORES = readStores()
const NAMES = { redis: 'Redis', postgres: 'PostgreSQL' } as const
const SERVERS: [name: string, server: Server][] = []
for (const store of STORES)
  if (store !== 'sqlite') SERVERS.push([NAMES[store], await startServer(store)])
after(async () => {
  for (const [, server] of SERVERS) await server[Symbol.asyncDispose]()
})

for (const [name, server] of SERVERS)
  describe(`${name} that dies and comes back`, () => {
    test('keeps all that was accepted, however often it is killed', async () => {
      await using store = await openStore(server.url)
      let isOver = false
      const producing = produce(store, () => isOver)
      for (let round = 0; round < ROUNDS; round++) {
        await eventually(() => arrives(store.insert([chore()])))
        await server.kill()
        await server.start()
      }
      isOver = true
      const accepted = await producing
      assert(accepted.length > 0)
      const found = await eventually(async () => {
        const jobs = await Promise.all(chunks(accepted).map((ids) => store.find(ids)))
        return jobs.flat()
      })
      assert.deepEqual(idsOf(found.filter((job) => job !== undefined)), accepted)
      assert.deepEqual(await store.verify(), [])
    })

    test('gives a worker the same jobs when it asks again under its number', async () => {
      await using store = await openStore(server.url)
      const hand = await Hand.register(store)
      await store.insert(chores(3))
      const claimed = await hand.claim(3)
      await server.kill()
      await server.start()
      const again = await eventually(async () => {
        const reply = hand.repeat(hand.n, [], 3)
        return (await arrives(reply)) && (await reply)
      })
      assert(!('refused' in again))
      assert.deepEqual(idsOf(again.jobs), idsOf(claimed))
      assert.deepEqual(await hand.settleAll(claimed, completed()), ['done', 'done', 'done'])
    })

    test('answers an insert whose reply was lost as it would have', async () => {
      await using proxy = await Proxy.open(server.port)
      await using store = await openStore(server.url.replace(`:${server.port}`, `:${proxy.port}`))
      await store.insert([chore()])
      const jobs = chores(3)
      proxy.cutReply(1)
      const answers = await store.insert(jobs)
      assert.deepEqual(
        answers,
        jobs.map(({ id }) => ({ id, joined: false })),
      )
      assert.deepEqual(await store.verify(), [])
    })

    test('rings who listens once it is back, since something may have been missed', async () => {
      await using store = await openStore(server.url)
      let rung = 0
      using _ = store.listen('ready', () => void rung++)
      await eventually(() => rung > 0)
      await server.kill()
      rung = 0
      await server.start()
      await eventually(() => rung > 0)
    })

    test('rings again, however its lines are cut while they come back', async () => {
      await using proxy = await Proxy.open(server.port)
      await using store = await openStore(server.url.replace(`:${server.port}`, `:${proxy.port}`))
      let rung = 0
      using _ = store.listen('ready', () => void rung++)
      await eventually(() => rung > 0)
      for (let request = 1; request <= 4; request++) {
        proxy.cutReply(request)
        proxy.cut()
        rung = 0
        await eventually(() => rung > 0)
      }
    })

    test('refuses calls as unreachable while it is down', async () => {
      await using store = await openStore(server.url)
      await store.ping()
      await server.kill()
      const unreachable = (error: unknown) => hasCode(error, 'STORE_UNREACHABLE')
      await assert.rejects(store.insert([chore()]), unreachable)
      await assert.rejects(store.ping(), unreachable)
      await assert.rejects(openStore(server.url), unreachable)
      await server.start()
    })

    test('leaves it to whoever calls to say that it is down', async (t) => {
      const { mock } = t.mock.method(console, 'error', () => undefined)
      await using store = await openStore(server.url)
      using _ = store.listen('ready', () => undefined)
      await store.ping()
      await server.kill()
      // Heard of between two calls, not by the next one.
      await eventually(() => connections() === 0)
      assert(!(await arrives(store.ping())))
      await server.start()
      await eventually(() => arrives(store.ping()))
      assert.deepEqual(
        mock.calls.map((call) => call.arguments),
        [],
      )
    })

    test('leaves no connection behind when it is closed while nothing gets through', async () => {
      await using proxy = await Proxy.open(server.port)
      const store = await openStore(server.url.replace(`:${server.port}`, `:${proxy.port}`))
      let rung = 0
      using _ = store.listen('ready', () => void rung++)
      await Promise.all([store.insert([chore()]), store.ping(), eventually(() => rung > 0)])
      proxy.freeze()
      await store[Symbol.asyncDispose]()
      // Two ends of each line are the proxy's.
      await eventually(() => connections() <= 2 * proxy.lines)
    })

    test('shows where it is, and no password', async () => {
      const secret = new URL(server.url)
      if (secret.protocol === 'postgres:') secret.password = 'hidden'
      await using store = await openStore(secret.href)
      assert.match(store.about.location, new RegExp(`^127\\.0\\.0\\.1:${server.port}/`))
    })

    test('stores one job for an id that eight callers insert at once', async () => {
      const stores = await Promise.all(Array.from({ length: 8 }, () => openStore(server.url)))
      const job = chore({ id: newId(), fingerprint: 'same' })
      const answers = await Promise.all(
        stores.map(async (store) => only(await store.insert([job]))),
      )
      assert.equal(answers.filter((one) => 'joined' in one && !one.joined).length, 1)
      for (const store of stores) await store[Symbol.asyncDispose]()
    })
  })

const connections = (): number =>
  process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length

const chunks = (ids: readonly JobId[]): JobId[][] =>
  Array.from({ length: Math.ceil(ids.length / 500) }, (_, i) => ids.slice(i * 500, (i + 1) * 500))
