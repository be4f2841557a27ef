import { settings } from './settings.ts'

/** The stores that a benchmark takes in turn, and on what ground each stands. */
export const KINDS = { sqlite: 'file', redis: 'redis', postgres: 'postgres' } as const
export type Kind = keyof typeof KINDS

const isKind = (kind: string): kind is Kind => kind in KINDS

/** The one that was asked for, else all. */
export const kinds: readonly Kind[] = isKind(settings.store)
  ? [settings.store]
  : Object.keys(KINDS).filter(isKind)
