import type { Lookout } from '../../src/store/contract.ts'
import { Bell } from '../../src/base/bell.ts'

const PATIENCE_MS = 10_000
const LOOK_MS = 20

/** Resolves with the first value that is there; looks again at every change of the store. */
export async function until<Value>(
  store: Pick<Lookout, 'listen'>,
  look: () => Promise<Value | undefined | false>,
): Promise<Value> {
  const bell = new Bell()
  using _change = store.listen('change', () => bell.ring())
  using _ready = store.listen('ready', () => bell.ring())
  const patience = performance.now() + PATIENCE_MS
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > patience) throw new Error('it never happened')
    await bell.wait(LOOK_MS)
  }
}

/** As `until`, for what only a fresh look can tell; other work of this process goes on meanwhile. */
export const eventually = <Value>(
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
): Promise<Value> =>
  until({ listen: () => ({ [Symbol.dispose]: () => undefined }) }, async () => look())
