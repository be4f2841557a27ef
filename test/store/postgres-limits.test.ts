import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { PostgresStore } from '../../src/store/postgres/store.ts'
import { HandClock } from '../support/clock.ts'
import { Hand, idsOf, only } from '../support/hand.ts'
import { bytes, chores, completed } from '../support/jobs.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { until } from '../support/until.ts'

const server = await PostgresServer.start()
after(() => server[Symbol.asyncDispose]())

test('a held job that was locked while places were handed on is admitted by whoever locked it', async () => {
  await using store = await PostgresStore.open(server.url, { clock: new HandClock() })
  const hand = await Hand.register(store)
  const [first, second] = chores(2, { limits: [{ key: 'a', running: 1 }] })
  await store.insert([first!, second!])
  const running = only(await hand.claim(10))

  const other = new Client({ connectionString: server.url })
  await other.connect()
  await other.query('begin')
  await other.query('select from errand.job where id = $1 for update', [second!.id])
  const posting = store.post([{ to: second!.id, name: 'go', key: '', value: bytes('1') }])
  const waiting = "select from pg_stat_activity where wait_event_type = 'Lock'"
  await until(store, async () => (await other.query(waiting)).rowCount === 1)
  await hand.settle(running, completed())
  assert.deepEqual(await hand.claim(10), [])
  await other.query('commit')
  await other.end()

  assert.deepEqual(await posting, ['posted'])
  assert.deepEqual(idsOf(await hand.claim(10)), [second!.id])
})
