import type { Clock } from './base/time.ts'
import type { Files } from './files/contract.ts'
import { DiskFiles } from './files/disk/disk.ts'
import { ErrandError } from './job/errors.ts'
import type { Store } from './store/contract.ts'

export type StoreOptions = {
  /**
   * `full`: a commit survives a power cut. `normal`: it survives the death of processes. `none`: accepts a
   * server whose settings would lose more.
   */
  durability?: 'full' | 'normal' | 'none'
  /** Brings an older store to this release's schema; so unless false. */
  migrate?: boolean
  clock?: Clock
}

export const DEFAULT_STORE = 'sqlite:.errand/errand.db'
export const DEFAULT_FILES = 'file:.errand/files'

/**
 * Opens a store by its URL. Drivers are loaded when they are asked for.
 * @throws ErrandError UNKNOWN_STORE, STORE_UNREACHABLE, STORE_UNSAFE, STORE_CORRUPT, SCHEMA_TOO_NEW,
 * SCHEMA_OUTDATED
 */
export async function openStore(
  url: string = DEFAULT_STORE,
  options: StoreOptions = {},
): Promise<Store> {
  const [, scheme, location = ''] = /^([\w-]+):(.+)$/.exec(url) ?? []
  switch (scheme) {
    case 'sqlite': {
      const { SqliteStore } = await import('./store/sqlite/store.ts')
      return SqliteStore.open(location.replace(/^\/\//, ''), options)
    }
    case 'redis':
    case 'rediss':
    case 'redis-sentinel':
    case 'rediss-sentinel':
    case 'redis-cluster':
    case 'rediss-cluster': {
      const { RedisStore } = await driver('ioredis', () => import('./store/redis/store.ts'))
      return RedisStore.open(url, options)
    }
    case 'postgres':
    case 'postgresql': {
      const { PostgresStore } = await driver('pg', () => import('./store/postgres/store.ts'))
      return PostgresStore.open(url, options)
    }
    default:
      // The URL may hold a password: only its scheme is repeated.
      throw new ErrandError('UNKNOWN_STORE', { url: scheme ?? 'given' })
  }
}

/** The SQL that a store of this schema still needs; Redis has none. */
export async function pendingSince(
  url: string,
  found: number,
): Promise<readonly { name: string; sql: string }[]> {
  if (url.startsWith('redis')) return []
  if (!url.startsWith('postgres'))
    return (await import('./store/sqlite/migrate.ts')).pendingSince(found)
  const { pendingSince: pending } = await import('./store/postgres/migrate.ts')
  return pending(found, URL.parse(url)?.searchParams.get('schema') ?? undefined)
}

/** A driver, whose client is installed only by those who use it. @throws ErrandError STORE_UNREACHABLE */
async function driver<Module>(client: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    const isMissing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (!isMissing) throw error
    const why = `the package ${client} is not installed; run: npm install ${client}`
    throw new ErrandError('STORE_UNREACHABLE', { why }, { cause: error })
  }
}

/** @throws ErrandError INVALID_OPTION */
export function openFiles(url: string = DEFAULT_FILES): Files {
  if (!url.startsWith('file:'))
    throw new ErrandError('INVALID_OPTION', { option: 'files', problem: 'needs file:<folder>' })
  return new DiskFiles(url.slice('file:'.length))
}
