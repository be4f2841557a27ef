import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { defineJob, handler } from '../../src/job/define.ts'
import { open } from '../../src/open.ts'
import { anything } from '../support/schema.ts'
import { CONNECTIONS, Pooler } from '../support/servers/pooler.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { until } from '../support/command.ts'

const server = await PostgresServer.start()
const pooler = await Pooler.start(server)
after(async () => {
  await pooler[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const CALLERS = 50
const JOBS = 1000
const chore = defineJob({ name: 'chore', input: anything<number>() })

test('through a pooler that lends each transaction another connection every job is done once', async () => {
  await using errand = await open(pooler.url)
  await using other = await open(pooler.url)
  const done: string[] = []
  const work = { jobs: [chore], handlers: async () => ({ handle }) }
  const handle = handler(chore, { run: async (_, { id }) => void done.push(id) })
  for (const one of [errand, other]) await one.work(work, { concurrency: 10 })
  const calling = async () => {
    for (let n = 0; n < JOBS / CALLERS; n++) await errand.enqueue(chore, n)
  }
  await Promise.all(Array.from({ length: CALLERS }, calling))
  await until(async () => {
    // Three connections for all: a look may have to wait for longer than it does.
    const [tally] = await errand.queues().catch(() => [])
    return tally?.completed === JOBS ? tally : undefined
  }, 'not all were done')
  assert.deepEqual([done.length, new Set(done).size], [JOBS, JOBS])
  assert.deepEqual(await errand.verify(), [])
})

test('connections that a pooler lends to others are left as they were', async () => {
  await using errand = await open(pooler.url, { durability: 'normal' })
  await errand.work({ jobs: [chore], handlers: async () => ({}) })
  // Each transaction that stays open holds another of them.
  const guests = Array.from(
    { length: CONNECTIONS },
    () => new Client({ connectionString: pooler.url }),
  )
  for (const one of guests) {
    await one.connect()
    await one.query('begin')
    const { rows } = await one.query(
      `select pg_listening_channels() union all
       select setting from pg_settings where name = 'synchronous_commit' and setting <> 'on'`,
    )
    assert.deepEqual(rows, [])
  }
  for (const one of guests) await one.end()
  assert.equal(errand.store.about.durability, 'synchronous_commit on')
})

test('a server that answers before its disk is refused where a pooler stands between', async () => {
  await using admin = await PostgresServer.start('synchronous_commit=off')
  await using between = await Pooler.start(admin)
  await assert.rejects(open(between.url), { code: 'STORE_UNSAFE' })
  await using errand = await open(admin.url)
  assert.equal(errand.store.about.durability, 'synchronous_commit on')
})
