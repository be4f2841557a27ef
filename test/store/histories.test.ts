import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import type { HandClock } from '../support/clock.ts'
import { histories } from './histories.ts'

/** Each history gets a fresh store. */
const STORES: readonly [name: string, open: (clock: HandClock) => Promise<Store>][] = [
  ['SQLite', (clock) => SqliteStore.open(':memory:', { clock })],
]

for (const [name, open] of STORES) histories(name, open)
