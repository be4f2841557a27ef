import { nearest } from '../../src/base/nearest.ts'

/** Where a test may keep jobs. SQLite needs no server, and every test that needs just any store stands on it. */
const KNOWN = ['sqlite', 'redis', 'postgres'] as const
export type StoreName = (typeof KNOWN)[number]

/** The stores that `STORES=sqlite,redis` names, or all of them: for the others nothing is started. */
export function readStores(text = process.env['STORES'] ?? ''): readonly StoreName[] {
  const asked = text.split(',').flatMap((name) => name.trim() || [])
  return asked.length === 0 ? KNOWN : asked.map(storeNamed)
}

export function storeNamed(name: string): StoreName {
  const store = KNOWN.find((known) => known === name)
  if (store !== undefined) return store
  const close = nearest(name, KNOWN)
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  throw new Error(`there is no store ${name}: ${KNOWN.join(', ')}${hint}`)
}

/** Files that are named after a store are about that store alone. */
export const isFor =
  (stores: readonly StoreName[]) =>
  (file: string): boolean => {
    const about = KNOWN.find((name) => new RegExp(`/${name}[-.]`).test(file))
    return about === undefined || stores.includes(about)
  }
