import { expand } from './zstd.ts'

/** Any value that JSON can carry. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** Encoded data a store carries without looking inside. */
export type Bytes = Uint8Array

const decoder = new TextDecoder('utf-8', { fatal: true })

/** UTF-8 of the JSON text; undefined where JSON has no word for the value (a function, a bare undefined). */
export function encodeJson(value: unknown): Bytes | undefined {
  const text: string | undefined = JSON.stringify(value)
  return text === undefined ? undefined : Buffer.from(text)
}

/** The value these bytes spell, compressed or not. Throws when they spell none. */
export function decodeJson(bytes: Bytes): unknown {
  return JSON.parse(decoder.decode(expand(bytes)))
}

/**
 * What our own code wrote earlier, so that its shape is known; never for what came from outside.
 * Bytes that cannot be read give the fallback: a page of jobs must not fail for one of them.
 */
export function readOwn<T>(bytes: Bytes, fallback: T): T {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where bytes of ours regain their type
    return decodeJson(bytes) as T
  } catch {
    return fallback
  }
}

/** What JSON writes as an empty object, and so would lose without a word. */
const SILENT = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, ArrayBuffer]

function isSilent(value: object): boolean {
  const shape: unknown = Object.getPrototypeOf(value)
  if (shape === Object.prototype || shape === Array.prototype || shape === null) return false
  return ArrayBuffer.isView(value) || SILENT.some((kind) => value instanceof kind)
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

export type Unfit = {
  pointer: string
  why: 'too_deep' | 'too_many_members' | 'forbidden_key' | 'lone_surrogate' | 'not_json'
}

/**
 * The first place, as a JSON pointer, where a value could not be stored and come back as it was:
 * deeper than `depthMax`, more than `membersMax` members, a key that reaches into prototypes, half a
 * character, or something that is not JSON at all.
 */
export function findUnfit(
  value: unknown,
  { depthMax = 64, membersMax = 10_000 } = {},
): Unfit | undefined {
  let members = 0
  // Where it is, is spelled on the way back: nearly every value is fit.
  const look = (here: unknown, depth: number): Unfit | undefined => {
    if (typeof here === 'string') return here.isWellFormed() ? undefined : unfit('lone_surrogate')
    if (typeof here === 'number') return Number.isFinite(here) ? undefined : unfit('not_json')
    if (here === null || typeof here === 'boolean') return undefined
    if (typeof here !== 'object') return unfit('not_json')
    if (depth >= depthMax) return unfit('too_deep')
    // A Date or anything else with toJSON is written as what toJSON says.
    if ('toJSON' in here && typeof here.toJSON === 'function')
      return look(here.toJSON(''), depth + 1)
    if (isSilent(here)) return unfit('not_json')
    const isList = Array.isArray(here)
    for (const [key, member] of Object.entries(here)) {
      // JSON leaves an absent member out, but would make null of it in a list.
      if (member === undefined && !isList) continue
      if (++members > membersMax) return unfit('too_many_members')
      const found = lookAt(key, member) ?? look(member, depth + 1)
      if (found) return within(key, found)
    }
    return undefined
  }
  return look(value, 0)
}

const unfit = (why: Unfit['why']): Unfit => ({ pointer: '', why })

function lookAt(key: string, member: unknown): Unfit | undefined {
  if (!key.isWellFormed()) return unfit('lone_surrogate')
  if (FORBIDDEN.has(key) && (key === '__proto__' || typeof member === 'object'))
    return unfit('forbidden_key')
  return undefined
}

const within = (key: string, { pointer, why }: Unfit): Unfit => ({
  pointer: `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}${pointer}`,
  why,
})
