import { createHash } from 'node:crypto'
import { type Bytes, encodeJson, readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { By, Entry } from './audit.ts'
import type { Keyring } from './seal.ts'

/**
 * What makes tampering with the audit log evident: each entry tells the digest of the one before, as that stood in the
 * store, and a mark over its own number and text, made with a key that the store does not hold. Without keys the mark
 * is a plain hash, which shows mistakes but no intent.
 */
export type Links = { prev: string; mark: string }

/** An entry as it lies in a store. */
export type Row = { n: number; at: Millis; entry: Bytes }

export type Fault = 'altered' | 'missing' | 'unmarked'

const PLAIN = 'plain.'

const hash = (text: string | Bytes): string => createHash('sha256').update(text).digest('base64url')

/** What stands for an entry where it must be known again: its number, its moment and its bytes. */
export const digestOf = ({ n, at, entry }: Row): string =>
  hash(Buffer.concat([Buffer.from(`${n} ${at} `), entry]))

/** An entry as it is to be stored after another. */
export function chain(
  said: Omit<Entry, keyof By>,
  { person, tenant, from, note }: By,
  before: Row | undefined,
  keys: Keyring | undefined,
): { n: number; entry: Bytes } {
  const n = (before?.n ?? 0) + 1
  const prev = before ? digestOf(before) : ''
  const body = { ...said, person, tenant, from, note, prev }
  const mark = markOf(textOf(n, body), keys)
  return { n, entry: encodeJson({ ...body, mark }) ?? new Uint8Array() }
}

/** How an entry was vouched for: by a key, by none, or by one that is not here to ask. */
export type Vouch = { fault?: Fault; by: 'key' | 'unknown key' | 'no key'; prev?: string }

/** Looks at one entry by itself. */
export function vouchFor({ n, entry }: Row, keys: Keyring | undefined): Vouch {
  const { mark, ...body } = readOwn<Partial<Links>>(entry, {})
  const { prev } = body
  if (typeof mark !== 'string' || typeof prev !== 'string')
    return { fault: 'unmarked', by: 'no key' }
  const text = textOf(n, body)
  if (mark.startsWith(PLAIN))
    return mark === markOf(text, undefined)
      ? { by: 'no key', prev }
      : { by: 'no key', fault: 'altered' }
  const isRight = keys?.isSigned(text, mark)
  if (isRight === undefined) return { by: 'unknown key', prev }
  return isRight ? { by: 'key', prev } : { by: 'key', fault: 'altered' }
}

const markOf = (text: string, keys: Keyring | undefined): string =>
  keys ? keys.sign(text) : `${PLAIN}${hash(text)}`

const textOf = (n: number, body: object): string => `${n} ${JSON.stringify(body)}`
