import type { Bytes } from '../../base/json.ts'

/** PostgreSQL's text form of arrays, written and read without a general parser: there are many of them. */

type Plain = number | boolean | null | undefined

/** Numbers, truths and ids: nothing in them needs quoting. */
export const plain = (items: readonly (Plain | string)[]): string =>
  `{${items.map((item) => item ?? 'null').join(',')}}`

export const texts = (items: readonly (string | null | undefined)[]): string =>
  `{${items.map((item) => (item === null || item === undefined ? 'null' : quote(item))).join(',')}}`

export const blobs = (items: readonly (Bytes | undefined)[]): string =>
  `{${items.map((item) => (item === undefined ? 'null' : `"\\\\x${hex(item)}"`)).join(',')}}`

/** Null when no item has anything: the server is spared a column. */
export function optional<Item>(
  items: readonly (Item | undefined)[],
  write: (items: readonly (Item | undefined)[]) => string,
): string | null {
  return items.some((item) => item !== undefined) ? write(items) : null
}

export const hex = (bytes: Bytes): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

/** The elements of a one-dimensional array of texts, none of them null. */
export function readTexts(array: string): string[] {
  if (array === '{}') return []
  // Elements without anything odd stand bare; ours hold spaces or backslashes and are quoted.
  if (!array.includes('"')) return array.slice(1, -1).split(',')
  const items: string[] = []
  for (const [, quoted, bare] of array.matchAll(/"((?:[^"\\]|\\.)*)"|([^{},"]+)/gs))
    items.push(bare ?? (quoted ?? '').replaceAll(/\\(.)/gs, '$1'))
  return items
}

/** The elements of an array of bytes, none of them null. */
export const readBlobs = (array: string): Bytes[] =>
  array === '{}'
    ? []
    : array
        .slice(2, -2)
        .split('","')
        .map((item) => Buffer.from(item.slice(3), 'hex'))

/** A single value of bytes. */
export const readBlob = (text: string): Bytes => Buffer.from(text.slice(2), 'hex')
