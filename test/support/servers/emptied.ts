import { Client } from 'pg'
import type { Store } from '../../../src/store/contract.ts'
import { PostgresStore } from '../../../src/store/postgres/store.ts'
import { HandClock } from '../clock.ts'
import { callOn, divert, rotate } from '../rotation.ts'

/** Gives a fresh store: what the test before left in it is gone. */
export type Fresh = AsyncDisposable & { store(clock: HandClock): Promise<Store> }

/** Opening takes longer than most tests: so many stores on one schema stay open, and are emptied. */
export async function emptied(url: string, schema: string, count: number): Promise<Fresh> {
  let current = new HandClock()
  const clock = { now: () => current.now() }
  const open = () => PostgresStore.open(url, { clock, schema })
  const first = await open()
  const others = await Promise.all(Array.from({ length: count - 1 }, open))
  const admin = new Client({ connectionString: url })
  await admin.connect()
  const { rows } = await admin.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = $1 and tablename <> 'store'`,
    [schema],
  )
  const emptying = rows.map(({ name }) => `delete from ${name}`).join('; ')
  const all = count === 1 ? first : rotate(first, ...others)
  return {
    async store(now) {
      current = now
      await admin.query(emptying)
      // It is not the test's to close.
      return divert(all, (name, args) =>
        name === Symbol.asyncDispose ? Promise.resolve() : callOn(all, name, args),
      )
    },
    async [Symbol.asyncDispose]() {
      for (const store of [first, ...others]) await store[Symbol.asyncDispose]()
      await admin.end()
    },
  }
}
