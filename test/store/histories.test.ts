import { after } from 'node:test'
import { Redis } from 'ioredis'
import { RedisStore } from '../../src/store/redis/store.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import type { HandClock } from '../support/clock.ts'
import type { Store } from '../../src/store/contract.ts'
import { emptied } from '../support/servers/emptied.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { RedisServer } from '../support/servers/redis.ts'
import { readStores } from '../support/stores.ts'
import { histories } from './histories.ts'

const used = new AsyncDisposableStack()
const OPEN = {
  sqlite: async () => ['SQLite', (clock: HandClock) => SqliteStore.open(':memory:', { clock })],
  async redis() {
    const { url } = used.use(await RedisServer.start())
    const admin = new Redis(url)
    used.defer(() => admin.disconnect())
    const open = async (clock: HandClock) => {
      await admin.flushall()
      return RedisStore.open(url, { clock })
    }
    return ['Redis', open]
  },
  async postgres() {
    const { url } = used.use(await PostgresServer.start())
    const postgres = used.use(await emptied(url, 'errand', 1))
    return ['PostgreSQL', (clock: HandClock) => postgres.store(clock)]
  },
} satisfies Record<string, () => Promise<Stage>>
type Stage = [name: string, open: (clock: HandClock) => Promise<Store>]

const stages = await Promise.all(readStores().map((store) => OPEN[store]()))
after(() => used.disposeAsync())
for (const [name, open] of stages) histories(name, open)
