import { glob, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, type ClientConfig } from 'pg'
import { Redis } from 'ioredis'
import { PostgresServer } from '../../test/support/servers/postgres.ts'
import { RedisServer } from '../../test/support/servers/redis.ts'
import { temporaryFolder } from '../lib/programs.ts'
import type { ServerKind } from './systems.ts'

/** A fresh place for one measurement of one system. */
export type Ground = AsyncDisposable & {
  url: string
  /** What its data takes: memory of Redis, tables and indexes of PostgreSQL, files. */
  bytes(): Promise<number>
  /** A transaction that looked once and then sits idle, so that nothing newer than its look is cleaned up. */
  holdSnapshot?(): Promise<AsyncDisposable>
  /** From here on nobody gathers statistics. */
  stopAnalyzing?(): Promise<void>
}

/** The servers of a run. Redis is started anew for each measurement; PostgreSQL gives it a fresh database. */
export class Grounds implements AsyncDisposable {
  /** Where programs are started, which may leave something behind. */
  readonly folder: string
  #postgres: PostgresServer | undefined
  #made = 0

  constructor(folder: string) {
    this.folder = folder
  }

  async fresh(kind: ServerKind): Promise<Ground> {
    if (kind === 'redis') return redisGround()
    if (kind === 'file') return fileGround()
    this.#postgres ??= await PostgresServer.start()
    return postgresGround(this.#postgres.url, `bench_${++this.#made}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#postgres?.[Symbol.asyncDispose]()
  }
}

async function redisGround(): Promise<Ground> {
  const server = await RedisServer.start()
  return {
    url: server.url,
    async bytes() {
      const redis = new Redis(server.url)
      const memory = await redis.info('memory')
      redis.disconnect()
      return Number(/^used_memory:(\d+)/m.exec(memory)?.[1])
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function postgresGround(server: string, name: string): Promise<Ground> {
  const url = server.replace(/[^/]+$/, name)
  // What the system before has written must not be flushed at this one's cost.
  await query(server, `checkpoint`)
  await query(server, `create database ${name}`)
  return {
    url,
    async bytes() {
      const [row] = await query(
        url,
        `select sum(pg_total_relation_size(c.oid)) as bytes
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'm') and n.nspname !~ '^(pg_|information_schema)'`,
      )
      return Number(row?.['bytes'] ?? 0)
    },
    async holdSnapshot() {
      const client = await connected(url)
      await client.query('begin isolation level repeatable read')
      await client.query('select count(*) from pg_class')
      return { [Symbol.asyncDispose]: () => client.end() }
    },
    async stopAnalyzing() {
      await query(server, 'alter system set autovacuum = off')
      await query(server, 'select pg_reload_conf()')
    },
    async [Symbol.asyncDispose]() {
      await query(server, 'alter system reset autovacuum')
      await query(server, 'select pg_reload_conf()')
      await query(server, `drop database ${name} with (force)`)
    },
  }
}

async function fileGround(): Promise<Ground> {
  const folder = await temporaryFolder()
  return {
    url: join(folder.path, 'jobs.db'),
    async bytes() {
      let bytes = 0
      for await (const file of glob(join(folder.path, '*'))) bytes += (await stat(file)).size
      return bytes
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url } satisfies ClientConfig)
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = await connected(url)
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
