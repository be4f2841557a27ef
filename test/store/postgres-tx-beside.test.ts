import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Client } from 'pg'
import { newId } from '../../src/base/id.ts'
import { type Code, hasCode } from '../../src/job/errors.ts'
import { change, put, told } from '../support/entries.ts'
import { Hand, idsOf, only } from '../support/hand.ts'
import { cancels, chore, completed } from '../support/jobs.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { once, plain, Stage } from '../support/transaction.ts'
import { eventually } from '../support/until.ts'

/** Less than a call that is held up for good. */
const PATIENCE = { timeout: 20_000 }

const server = await PostgresServer.start('max_connections=200')
after(() => server[Symbol.asyncDispose]())

/** Whether some transaction waits for another. */
const isWaiting = async (admin: Client) =>
  (await admin.query('select from pg_locks where not granted')).rows.length > 0

const code = (expected: Code) => (error: unknown) => hasCode(error, expected)

test(
  'an open transaction holds up nobody: not inserts, not exchanges, not another',
  PATIENCE,
  async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    const { store } = errand
    await errand.enqueue(plain, 0)
    const open = [await stage.begin(), await stage.begin('repeatable read'), await stage.begin()]
    for (const tx of open) await errand.enqueueMany(plain, [1, 2, 3], { tx })

    const worker = await Hand.register(store)
    await Promise.all(Array.from({ length: 1000 }, (_, i) => errand.enqueue(plain, i)))
    for (let left = 1001; left > 0; left -= 91) {
      const jobs = await worker.claim(91)
      assert.equal(jobs.length, 91)
      await worker.settleAll(jobs, completed())
    }
    const { id } = await errand.enqueue(plain, 1)
    await errand.cancel(id)
    await errand.retry(id)
    assert.deepEqual([(await store.purge(100)).erased, await store.unpark(['plain'])], [0, 0])
    assert.deepEqual(await store.verify(), [])
    for (const tx of open) await tx.query('commit')
    assert.deepEqual(await store.verify(), [])
    assert.deepEqual(
      [only(await store.tally()).accepted, only(await store.tally()).ready],
      [1011, 10],
    )
  },
)

test('a job that was enqueued early and committed late is listed and runs all the same', async () => {
  await using stage = await Stage.open(server.url)
  const { errand } = stage
  const tx = await stage.begin()
  const early = await errand.enqueue(plain, 'early', { tx })
  const worker = await Hand.register(errand.store)
  await errand.enqueueMany(plain, [1, 2, 3])
  await worker.settleAll(await worker.claim(2), completed())
  await tx.query('commit')
  const { jobs } = await errand.store.list({ state: 'ready' }, 10)
  assert(idsOf(jobs).includes(early.id))
  assert.equal((await worker.claimOne()).id, early.id)
})

test(
  'whoever needs what an open transaction holds is refused soon, and its neighbours are not',
  PATIENCE,
  async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    const tx = await stage.begin()
    const id = newId()
    await errand.enqueue(once, 'held', { tx })
    await errand.enqueue(plain, 1, { tx, id })
    const since = performance.now()
    const [held, named, ...free] = await Promise.allSettled([
      errand.enqueue(once, 'held'),
      errand.enqueue(plain, 1, { id }),
      errand.enqueue(once, 'free'),
      errand.enqueue(plain, 1, { id: newId() }),
      errand.enqueue(plain, 1),
    ])
    assert(performance.now() - since < 4000)
    assert(held.status === 'rejected' && hasCode(held.reason, 'STORE_BUSY'))
    assert(Number(held.reason.details.waitedMs) >= 500)
    assert(named.status === 'rejected' && hasCode(named.reason, 'STORE_BUSY'))
    assert(free.every(({ status }) => status === 'fulfilled'))
    assert.equal(only(await errand.queues()).accepted, 3)

    await tx.query('commit')
    assert.equal((await errand.enqueue(once, 'held')).joined, true)
    assert.deepEqual(await errand.enqueue(plain, 1, { id }), { id, joined: true })
    assert.deepEqual(await errand.verify(), [])
  },
)

test(
  'where an insert and a transaction wait for each other it is the insert that gives way',
  PATIENCE,
  async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    const [tx, admin] = [await stage.begin(), await stage.connect()]
    await errand.enqueue(once, 'first', { tx })
    const ordinary = Promise.allSettled([
      errand.enqueue(once, 'second'),
      errand.enqueue(once, 'first'),
    ])
    await eventually(() => isWaiting(admin))
    await errand.enqueue(once, 'second', { tx })
    await ordinary
    await tx.query('commit')
    for (const value of ['first', 'second'])
      assert.equal((await errand.enqueue(once, value)).joined, true)
    assert.equal(only(await errand.queues()).accepted, 2)
    assert.deepEqual(await errand.verify(), [])
  },
)

test(
  'a retry does not wait for an open transaction that takes its unique value',
  PATIENCE,
  async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    const { id } = await errand.enqueue(once, 'value')
    await errand.store.cancel(cancels([id]))
    const tx = await stage.begin()
    await errand.enqueue(once, 'value', { tx })
    await assert.rejects(() => errand.retry(id), code('STORE_BUSY'))
    await tx.query('commit')
    await assert.rejects(() => errand.retry(id), code('UNIQUE_TAKEN'))
    assert.deepEqual(await errand.verify(), [])
  },
)

test(
  'of two transactions with one unique value the second waits, and joins what the first commits',
  PATIENCE,
  async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    for (const end of ['commit', 'rollback']) {
      const [first, second] = [await stage.begin(), await stage.begin()]
      const { id } = await errand.enqueue(once, end, { tx: first })
      const waiting = errand.enqueue(once, end, { tx: second })
      const admin = await stage.connect()
      await eventually(() => isWaiting(admin))
      await first.query(end)
      const joined = await waiting
      assert.deepEqual([joined.joined, joined.id === id], [end === 'commit', end === 'commit'])
      await second.query('commit')
    }
    assert.equal(only(await errand.queues()).accepted, 2)
    assert.deepEqual(await errand.verify(), [])
  },
)

test(
  'an entry whose job an open transaction stands before is refused alone, and soon',
  PATIENCE,
  async () => {
    await using stage = await Stage.open(server.url)
    const { errand } = stage
    const tx = await stage.begin()
    const { id } = await errand.enqueue(once, 'v', { tx })
    const unique = { value: 'v', until: 'end', onConflict: 'join' } as const
    const held = change({ jobs: [chore({ job: 'once', unique })] })
    const free = change({ name: 'b', jobs: [chore()] })
    const [first, second] = await errand.store.put([held, free])
    assert.deepEqual(first, { refused: 'busy' })
    assert(second && 'jobs' in second)
    assert.deepEqual(await told(errand.store), ['b value'])
    await tx.query('commit')
    assert.deepEqual(await put(errand.store, held), { jobs: [{ id, joined: true }] })
    assert.deepEqual(await errand.verify(), [])
  },
)

test('counters of connections that are gone are folded, those of the others left alone', async () => {
  await using stage = await Stage.open(server.url)
  const { errand } = stage
  const admin = await stage.connect()
  const slots = async () => {
    const text = `select slot from ${stage.schema}.tally where slot < 0 order by slot desc`
    return (await admin.query<{ slot: number }>(text)).rows.map(({ slot }) => slot)
  }
  const [staying, ...leaving] = [await stage.begin(), await stage.begin(), await stage.begin()]
  for (const tx of [staying, ...leaving]) {
    await errand.enqueue(plain, 1, { tx })
    await errand.enqueue(plain, 1, { tx, delay: '1h' })
    await tx.query('commit')
  }
  assert.equal((await slots()).length, 3)
  for (const tx of leaving) await tx.end()
  await eventually(async () => {
    await errand.store.purge(1)
    return (await slots()).length === 2
  })
  assert.equal((await slots())[0], -1)
  const { accepted, ready, scheduled } = only(await errand.queues())
  assert.deepEqual([accepted, ready, scheduled], [6, 3, 3])
  await staying.query('begin')
  await errand.enqueue(plain, 1, { tx: staying })
  await staying.query('commit')
  assert.deepEqual(await errand.verify(), [])
})
