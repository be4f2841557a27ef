import { readdirSync, readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { ErrandError } from '../../job/errors.ts'
import type { ConnectionOptions } from './connection.ts'
import { functions, inSchema, MARK } from './statements.ts'

/** What a database is: which, and how its commits and connections are. */
export type Standing = {
  identity: string
  /** It answers commits before they are on disk, unless it is told not to. */
  isAsync: boolean
  /** A pooler stands between: what is set or heard on a connection is soon somebody else's. */
  isPooled: boolean
}

const FOLDER = new URL('./migrations/', import.meta.url)

/** Every step from an empty schema to this release's, in order. */
export const MIGRATIONS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.sql'))
  .toSorted()
  .map((file) => ({
    version: Number.parseInt(file, 10),
    name: file,
    sql: readFileSync(new URL(file, FOLDER), 'utf8'),
  }))

/** What a schema of version `found` still needs: tables, then the functions of this release. */
export const pendingSince = (found: number, schema = 'errand') => [
  ...MIGRATIONS.filter(({ version }) => version > found).map((one) => ({
    ...one,
    sql: inSchema(schema, one.sql),
  })),
  { version: SCHEMA, name: `functions ${MARK}`, sql: functions(schema) },
]

export const SCHEMA = MIGRATIONS.at(-1)?.version ?? 0
const OLDEST_SERVER = 150_000

/**
 * Brings a schema to this release and installs its functions. Processes that race do it once, behind a lock.
 * Old workers go on with their own functions.
 * @throws ErrandError STORE_UNSAFE, SCHEMA_TOO_NEW, SCHEMA_OUTDATED
 */
export async function migrate(
  client: Client,
  { schema, durability, migrate: mayMigrate }: ConnectionOptions,
): Promise<Standing> {
  const ways = await inspect(client, durability)
  const identity = await standing(client, schema)
  if (identity !== undefined) return { identity, ...ways }
  if (!mayMigrate)
    throw new ErrandError('SCHEMA_OUTDATED', {
      found: await foundIn(client, schema),
      known: SCHEMA,
    })
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock(hashtext($1))', [`${schema}.migrate`])
    await client.query('set local lock_timeout = 2000; set local check_function_bodies = off')
    await client.query(`create schema if not exists "${schema}"`)
    await client.query(inSchema(schema, PRELUDE))
    const found = await foundIn(client, schema)
    for (const { sql } of pendingSince(found, schema)) await client.query(sql)
    await client.query(inSchema(schema, REMEMBER), [SCHEMA, randomUUID(), MARK])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
  return { identity: (await standing(client, schema)) ?? '', ...ways }
}

const PRELUDE = `create table if not exists errand.store (single boolean primary key default true check (single),
  version integer not null, identity uuid not null, marks text[] not null);`

const REMEMBER = `insert into errand.store as s (version, identity, marks) values ($1, $2, array[$3])
on conflict (single) do update set version = excluded.version,
  marks = array(select distinct unnest(s.marks || excluded.marks))`

/** The identity of a schema that needs nothing; undefined when it lacks a step, or our functions. */
async function standing(client: Client, schema: string): Promise<string | undefined> {
  const found = await foundIn(client, schema)
  if (found > SCHEMA) throw new ErrandError('SCHEMA_TOO_NEW', { found, known: SCHEMA })
  if (found < SCHEMA) return undefined
  const text = inSchema(schema, 'select identity from errand.store where $1 = any(marks)')
  const { rows } = await client.query<{ identity: string }>(text, [MARK])
  return rows[0]?.identity
}

async function foundIn(client: Client, schema: string): Promise<number> {
  const { rows } = await client.query(
    'select 1 from pg_tables where schemaname = $1 and tablename = $2',
    [schema, 'store'],
  )
  if (rows.length === 0) return 0
  const found = await client.query<{ version: string }>(
    inSchema(schema, 'select version from errand.store'),
  )
  return Number(found.rows[0]?.version ?? 0)
}

/** @throws ErrandError STORE_UNSAFE, STORE_UNREACHABLE */
async function inspect(client: Client, durability: string): Promise<Omit<Standing, 'identity'>> {
  const { rows } = await client.query<Record<string, string>>(
    `select name, setting from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num', 'transaction_read_only')
     union all select 'pid', pg_backend_pid()::text`,
  )
  const of = (name: string) => rows.find((row) => row['name'] === name)?.['setting'] ?? ''
  if (Number(of('server_version_num')) < OLDEST_SERVER)
    throw new ErrandError('STORE_UNREACHABLE', { why: 'it needs PostgreSQL 15 or later' })
  if (of('transaction_read_only') === 'on')
    throw new ErrandError('STORE_UNREACHABLE', { why: 'the server is a read-only replica' })
  const off = ['fsync', 'full_page_writes'].find((name) => of(name) === 'off')
  if (off !== undefined && durability !== 'none')
    throw new ErrandError('STORE_UNSAFE', {
      why: `${off} is off; a power cut damages the database`,
    })
  const isAsync = of('synchronous_commit') === 'off'
  // A pooler gives out numbers of its own.
  const isPooled = 'processID' in client && String(client.processID) !== of('pid')
  if (isPooled && isAsync && durability === 'full')
    throw new ErrandError('STORE_UNSAFE', {
      why: 'synchronous_commit is off, and cannot be set through a pooler; set it on for the role',
    })
  return { isAsync, isPooled }
}
