import type { Store } from '../../src/store/contract.ts'
import { callOn, divert } from './rotation.ts'

/** A store that counts the calls it gets, by name. */
export function counting(store: Store): { store: Store; calls: Map<string, number> } {
  const calls = new Map<string, number>()
  const counted = divert(store, (name, args) => {
    calls.set(String(name), (calls.get(String(name)) ?? 0) + 1)
    return callOn(store, name, args)
  })
  return { store: counted, calls }
}

/** Resolves once everything that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
