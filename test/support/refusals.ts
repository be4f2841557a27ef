import assert from 'node:assert/strict'
import { Client } from 'pg'
import { Redis } from 'ioredis'
import { RedisServer } from './servers/redis.ts'
import { freePort } from './servers/server.ts'
import type { Fault, Scene } from './outage.ts'

/** A server that answers, but not with what was asked for: each until it is mended. */
export const REDIS_SAYS_NO: Record<string, Fault> = {
  // Of nobody: a real primary would give it its own, empty, data.
  'the server has become a replica (READONLY)': (scene) =>
    redis(scene, async (admin) => {
      await admin.replicaof('127.0.0.1', await freePort())
      return () => admin.replicaof('NO', 'ONE')
    }),
  'the server has lost its primary (MASTERDOWN)': (scene) =>
    redis(scene, async (admin) => {
      await admin.config('SET', 'replica-serve-stale-data', 'no')
      await admin.replicaof('127.0.0.1', await freePort())
      return () => admin.replicaof('NO', 'ONE')
    }),
  'the server has no memory left (OOM)': (scene) =>
    redis(scene, async (admin) => {
      await admin.config('SET', 'maxmemory', '1')
      return () => admin.config('SET', 'maxmemory', '0')
    }),
  'a script of somebody keeps the server (BUSY)': (scene) =>
    redis(scene, async (admin) => {
      await admin.config('SET', 'busy-reply-threshold', '50')
      const endless = admin.eval('while true do end', 0).catch(() => undefined)
      return async () => {
        const other = new Redis(scene.server.url, { enableReadyCheck: false })
        await other.script('KILL')
        other.disconnect()
        await endless
      }
    }),
  'the server is loading its data (LOADING)': async ({ server }) => {
    assert(server instanceof RedisServer)
    await server.kill()
    // As if there were much of it: it answers now and then in between.
    const slowly = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024']
    const loading = server.startWith(...slowly)
    return () => loading
  },
}

export const POSTGRES_SAYS_NO: Record<string, Fault> = {
  'the server is read-only (25006)': (scene) =>
    postgres(scene, async (admin) => {
      await admin.query('alter system set default_transaction_read_only = on')
      await admin.query('select pg_reload_conf()')
      return async () => {
        await admin.query('set default_transaction_read_only = off')
        await admin.query('alter system reset default_transaction_read_only')
        await admin.query('select pg_reload_conf()')
      }
    }),
  'others have all connections (53300)': (scene) =>
    postgres(scene, async () => {
      const others = await occupy(scene)
      scene.proxy.cut()
      const over = new AbortController()
      const occupying = (async () => {
        while (!over.signal.aborted) others.push(...(await occupy(scene)))
      })()
      return async () => {
        over.abort()
        await occupying
        await Promise.all(others.map((client) => client.end()))
      }
    }),
  'every connection is terminated (57P01)': (scene) =>
    postgres(scene, async (admin) => {
      const ending = setInterval(() => {
        const others = `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()
          and application_name = 'errand' and backend_type = 'client backend'`
        admin.query(others).catch(() => undefined)
      }, 100)
      return async () => clearInterval(ending)
    }),
}

type Mend = () => Promise<unknown>

async function redis({ server }: Scene, spoil: (admin: Redis) => Promise<Mend>): Promise<Mend> {
  const admin = new Redis(server.url)
  const mend = await spoil(admin)
  return async () => {
    await mend()
    admin.disconnect()
  }
}

async function postgres({ server }: Scene, spoil: (admin: Client) => Promise<Mend>): Promise<Mend> {
  const admin = new Client({ connectionString: server.url })
  admin.on('error', () => undefined)
  await admin.connect()
  const mend = await spoil(admin)
  return async () => {
    await mend()
    await admin.end()
  }
}

/** Connects until there is no room. */
async function occupy({ server }: Scene): Promise<Client[]> {
  const others: Client[] = []
  for (;;) {
    const client = new Client({ connectionString: server.url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      others.push(client)
    } catch {
      return others
    }
  }
}
