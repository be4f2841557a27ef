import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { PostgresStore } from '../../src/store/postgres/store.ts'
import { HandClock } from '../support/clock.ts'
import { accepted, Hand } from '../support/hand.ts'
import { chore, chores, completed } from '../support/jobs.ts'
import { PostgresServer } from '../support/servers/postgres.ts'

const server = await PostgresServer.start()
after(() => server[Symbol.asyncDispose]())

/** A transaction that looked once and then sits idle. */
async function holdSnapshot(): Promise<AsyncDisposable> {
  const client = new Client({ connectionString: server.url, application_name: 'report' })
  await client.connect()
  await client.query('begin isolation level repeatable read')
  await client.query('select count(*) from pg_class')
  return { [Symbol.asyncDispose]: () => client.end() }
}

test('past what cannot be cleaned up a claim takes the urgent first, and all that waits at last', async () => {
  const clock = new HandClock()
  await using store = await PostgresStore.open(server.url, { clock, schema: 'passed' })
  await using _snapshot = await holdSnapshot()
  const hand = await Hand.register(store)
  for (let i = 0; i < 24; i++) {
    clock.advance(1)
    await store.insert(chores(1000))
  }
  for (let i = 0; i < 22; i++) await hand.settleAll(await hand.claim(1000), completed())

  // From here on claims begin where the last one ended.
  const [back] = await hand.claim(1)
  clock.advance(1)
  const [late, urgent] = [chore(), chore({ priority: 2 })]
  await store.insert([late, urgent])
  assert.ok(back)
  await hand.settle(back, { to: 'ready', begun: false })

  const [first] = await hand.claim(1)
  assert.equal(first?.id, urgent.id)
  const rest = accepted(await hand.exchange([], 5000)).jobs
  assert.equal(rest.length, 2001)
  assert.ok(rest.some(({ id }) => id === back.id))
  assert.ok(rest.slice(-2).some(({ id }) => id === late.id))
})

test('a transaction that stays open is named to people, until it ends', async () => {
  const clock = new HandClock()
  await using store = await PostgresStore.open(server.url, { clock, schema: 'warned' })
  clock.set(Date.now() + 60_000)
  {
    await using _snapshot = await holdSnapshot()
    const [warning, ...more] = await store.warnings()
    assert.match(warning ?? '', /^a transaction of report \(pid \d+\) has been open for \d+ s/)
    assert.deepEqual(more, [])
  }
  assert.deepEqual(await store.warnings(), [])
})
