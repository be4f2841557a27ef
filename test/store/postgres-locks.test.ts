import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { itemId } from '../../src/job/batch.ts'
import type { JobId } from '../../src/job/job.ts'
import type { Store } from '../../src/store/contract.ts'
import { batch, batchOf, close, filled, itemsOf, LAST, open, tally } from '../support/batches.ts'
import { HandClock } from '../support/clock.ts'
import { Hand } from '../support/hand.ts'
import { bytes, cancels, chore, completed, DAY, failed } from '../support/jobs.ts'
import { emptied } from '../support/servers/emptied.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { eventually } from '../support/until.ts'

/**
 * Whatever a call locks, it locks jobs first, then batches, counters last: so no two wait for each other. Here a
 * guest holds one of these, and what comes after it must be free while a call waits.
 */

const server = await PostgresServer.start()
const fresh = await emptied(server.url, 'errand', 1)
const guest = new Client({ connectionString: server.url })
const other = new Client({ connectionString: server.url })
await Promise.all([guest.connect(), other.connect()])
after(async () => {
  await Promise.all([guest.end(), other.end()])
  await fresh[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const isWaiting = async (): Promise<boolean> => {
  const { rows } = await other.query('select 1 from pg_locks where not granted')
  return rows.length > 0
}

/** Whether all of these rows could be had at once, while `call` waits for what the guest holds. */
async function whileHeld<Answer>(
  held: string,
  free: string,
  call: () => Promise<Answer>,
): Promise<Answer> {
  await guest.query('begin')
  await guest.query(held)
  const answer = call()
  try {
    await eventually(isWaiting)
    await other.query(`${free} for update nowait`)
  } finally {
    await guest.query('rollback')
  }
  return answer
}

const BATCHES = 'select from errand.batch'
const COUNTERS = 'select from errand.tally'

const hooked = (subject: JobId) => ({ hook: chore({ subject }) })

/** Calls that change a batch, and what has to be there before. */
const CHANGES: Record<string, (store: Store) => Promise<() => Promise<unknown>>> = {
  'a settlement that brings a hook': async (store) => {
    const { worker } = await filled(store, 1)
    const item = await worker.claimOne()
    return () => worker.settle(item, failed(hooked(item.id)))
  },
  'a cancel that brings a hook': async (store) => {
    const { id } = await filled(store, 1)
    const [cancel = assert.fail()] = cancels([itemId({ batch: id, index: 0 })])
    const outcome = { ...cancel.outcome, ...hooked(cancel.id) }
    return () => store.cancel([{ id: cancel.id, outcome }])
  },
  'another life': async (store) => {
    const { worker, id } = await filled(store, 1)
    await worker.settle(await worker.claimOne(), failed())
    return () => store.retry([itemId({ batch: id, index: 0 })])
  },
  'a purge': async (store) => {
    const { worker } = await filled(store, 1)
    await worker.settle(await worker.claimOne(), completed({ keepMs: 0 }))
    return () => store.purge(10)
  },
  'more items': async (store) => {
    const made = batchOf()
    await open(store, made)
    return () => store.fillBatch(made.id, itemsOf(made.id, 3))
  },
}

for (const [what, prepare] of Object.entries(CHANGES))
  test(`${what} counts after it has its batch`, async () => {
    await using store = await fresh.store(new HandClock())
    const call = await prepare(store)
    await whileHeld(`${BATCHES} for update`, COUNTERS, call)
  })

test('items that are sent again wait for those that end before they have their batch', async () => {
  await using store = await fresh.store(new HandClock())
  const made = batchOf()
  await open(store, made)
  const items = itemsOf(made.id, 2)
  await store.fillBatch(made.id, items)
  await whileHeld(`delete from errand.job where id = '${items[0]?.id}'`, BATCHES, () =>
    store.fillBatch(made.id, items),
  )
  assert.deepEqual(tally(await batch(store, made.id)), [2, 0, 0, 0, 0])
})

test('a purge waits for an item that is given another life before it has any batch', async () => {
  const clock = new HandClock()
  await using store = await fresh.store(clock)
  const { worker, id } = await filled(store, 1, { keepMs: 0 })
  await worker.settle(await worker.claimOne(), failed({ keepMs: 0 }))
  clock.advance(DAY)
  const item = itemId({ batch: id, index: 0 })
  await whileHeld(`select from errand.ended where id = '${item}' for update`, BATCHES, () =>
    store.purge(10),
  )
})

test('a note that calls one job waits for the next without having counted', async () => {
  await using store = await fresh.store(new HandClock())
  const worker = await Hand.register(store)
  await store.insert([chore(), chore()])
  const [one = assert.fail(), next = assert.fail()] = await worker.claim(2)
  const child = chore({ parent: { id: one.id, name: 'a' } })
  const step = { name: 'a', value: bytes('1') }
  await whileHeld(`select from errand.job where id = '${next.id}' for update`, COUNTERS, () =>
    store.note(worker.id, [
      { id: one.id, fence: one.fence, step, child },
      { id: next.id, fence: next.fence, step },
    ]),
  )
})

test('fair jobs of many tenants wait for those of another call before they have any tenant’s row', async () => {
  await using store = await fresh.store(new HandClock())
  const fair = (tenant: string) => chore({ tenant, fair: true })
  await store.insert([fair('a'), fair('b')])
  const lock = 'select pg_advisory_xact_lock(hashtext(\'"errand".fair\'))'
  await whileHeld(lock, 'select from errand.fair', () => store.insert([fair('b'), fair('a')]))
  assert.equal((await (await Hand.register(store)).claim(10)).length, 4)
})

const LIMITS = 'select pg_advisory_xact_lock(hashtext(\'"errand".limits\'))'

/** Calls that change a batch and may have to do with limits. */
const LIMITED: Record<string, (store: Store) => Promise<() => Promise<unknown>>> = {
  'an exchange that claims who waited for a key': async (store) => {
    const worker = await Hand.register(store)
    const made = batchOf()
    await open(store, made)
    const limits = [{ key: 'a', pending: 10 }]
    await store.fillBatch(made.id, itemsOf(made.id, 2, { limits }))
    const { id, fence } = await worker.claimOne()
    return () => worker.exchange([{ id, fence, outcome: completed() }], 1)
  },
  'a batch whose end brings a limited job': async (store) => {
    const made = batchOf({ end: chore({ id: LAST, limits: [{ key: 'a', running: 1 }] }) })
    await open(store, made)
    return () => close(store, made.id)
  },
  'the end of a batch that nobody fills': async (store) => {
    await open(store, batchOf({ end: chore({ id: LAST, limits: [{ key: 'a', running: 1 }] }) }))
    return () => store.stoppedBatches(0)
  },
}

for (const [what, prepare] of Object.entries(LIMITED))
  test(`${what} waits for the lock of limits before it has any batch`, async () => {
    await using store = await fresh.store(new HandClock())
    const call = await prepare(store)
    await whileHeld(LIMITS, BATCHES, call)
  })
