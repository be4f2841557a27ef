import { after } from 'node:test'
import { Client } from 'pg'
import { PostgresStore } from '../../src/store/postgres/store.ts'
import type { Store } from '../../src/store/contract.ts'
import { HandClock } from '../support/clock.ts'
import { callOn, divert, rotate } from '../support/rotation.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { conform } from './conform.ts'

const server = await PostgresServer.start('max_connections=200')
const admin = new Client({ connectionString: server.url })
await admin.connect()
const opened: Store[] = []
after(async () => {
  for (const store of opened) await store[Symbol.asyncDispose]()
  await admin.end()
  await server[Symbol.asyncDispose]()
})

/** Opening takes longer than most clauses: stores stay open, and each clause finds them empty. */
async function reusable(
  schema: string,
  count: number,
): Promise<(clock: HandClock) => Promise<Store>> {
  let current = new HandClock()
  const clock = { now: () => current.now() }
  const open = () => PostgresStore.open(server.url, { clock, schema })
  const first = await open()
  const stores = [first, ...(await Promise.all(Array.from({ length: count - 1 }, open)))]
  opened.push(...stores)
  const { rows } = await admin.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = $1 and tablename not in ('store', 'kind')`,
    [schema],
  )
  const emptying = rows.map(({ name }) => `delete from ${name}`).join('; ')
  return async (now) => {
    current = now
    await admin.query(emptying)
    const store = count === 1 ? first : rotate(first, ...stores.slice(1))
    return divert(store, (name, args) =>
      name === Symbol.asyncDispose ? Promise.resolve() : callOn(store, name, args),
    )
  }
}

conform('PostgreSQL', await reusable('one', 1))
conform('PostgreSQL over eight stores', await reusable('eight', 8))
