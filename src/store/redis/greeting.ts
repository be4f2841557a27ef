import type { Redis } from 'ioredis'
import { newId } from '../../base/id.ts'
import { ErrandError } from '../../job/errors.ts'
import type { Durability } from './connection.ts'
import type { Keys } from './keys.ts'

/** Of the keys and rows; a store with a higher one was written by a newer release. */
export const LAYOUT = 1
const VERSION_MIN = 7
/** Of the memory allowed. */
const SHARE_MAX = 0.8

/** What is found out about a server before it is used. */
export type Identified = { durability: string; identity: string; inCluster: boolean }

type Info = (field: string) => string | undefined

/**
 * Looks at a server before it is trusted, and at which store it holds. What matters is read from INFO,
 * which no operator takes away; CONFIG, which many do, only adds how often the file is synced.
 * @throws ErrandError STORE_UNSAFE, SCHEMA_TOO_NEW
 */
export async function readIdentity(
  client: Redis,
  keys: Keys,
  durability: Durability,
): Promise<Identified> {
  const info = fieldsOf(await client.info())
  if (durability !== 'none') refuseUnsafe(info)
  const version = Number.parseInt(info('redis_version') ?? '', 10)
  if (!(version >= VERSION_MIN))
    throw new ErrandError('STORE_UNREACHABLE', {
      why: `the server is older than Redis ${VERSION_MIN}`,
    })

  await client.set(keys.store, `${newId()} ${LAYOUT}`, 'NX')
  const identity = (await client.get(keys.store)) ?? ''
  const found = Number(identity.split(' ')[1])
  if (found > LAYOUT) throw new ErrandError('SCHEMA_TOO_NEW', { found, known: LAYOUT })
  const inCluster = info('cluster_enabled') === '1'
  return { durability: await describe(client, info), identity, inCluster }
}

const fieldsOf =
  (text: string): Info =>
  (field) =>
    new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(text)?.[1]

/** What INFO says that somebody should look at. */
export function warningsIn(text: string): string[] {
  const info = fieldsOf(text)
  const limit = Number(info('maxmemory'))
  const share = limit > 0 ? Number(info('used_memory')) / limit : 0
  return [
    ...(share > SHARE_MAX
      ? [`${Math.round(share * 100)} % of maxmemory is used: when it is full no job is accepted`]
      : []),
    ...(info('aof_last_write_status') === 'err'
      ? ['the last write to the append-only file failed: the server accepts nothing']
      : []),
    ...(info('aof_last_bgrewrite_status') === 'err'
      ? ['the last rewrite of the append-only file failed: it grows, and may fill the disk']
      : []),
  ]
}

function refuseUnsafe(info: Info): void {
  const policy = info('maxmemory_policy')
  // Without a limit nothing is ever evicted.
  if (Number(info('maxmemory')) > 0 && policy !== 'noeviction')
    throw new ErrandError('STORE_UNSAFE', {
      why: `the server evicts keys (maxmemory-policy ${policy}); set noeviction`,
    })
  if (info('aof_enabled') !== '1')
    throw new ErrandError('STORE_UNSAFE', {
      why: 'the server keeps no append-only file; set appendonly yes',
    })
}

async function describe(client: Redis, info: Info): Promise<string> {
  if (info('aof_enabled') !== '1') return 'none'
  try {
    const [, sync = ''] = await client.config('GET', 'appendfsync')
    return `AOF ${sync}`.trim()
  } catch {
    return 'AOF'
  }
}
