import type { Bytes } from '../../base/json.ts'

/** PostgreSQL's arrays, written and read without a general parser: there are many of them. */

/** Its number for the type of bytes. */
const BYTEA = 17
const HEADER_BYTES = 20

type Plain = number | boolean | null | undefined

/** Numbers, truths and ids: nothing in them needs quoting. */
export const plain = (items: readonly (Plain | string)[]): string =>
  `{${items.map((item) => item ?? 'null').join(',')}}`

export const texts = (items: readonly (string | null | undefined)[]): string =>
  `{${items.map((item) => (item === null || item === undefined ? 'null' : quote(item))).join(',')}}`

/** In the binary form: hexadecimal would be twice as long, written here and read there. */
export function blobs(items: readonly (Bytes | undefined)[]): Buffer {
  const size = items.reduce((sum, item) => sum + 4 + (item?.length ?? 0), HEADER_BYTES)
  const array = Buffer.allocUnsafe(size)
  const header = [items.length > 0 ? 1 : 0, 1, BYTEA, items.length, 1]
  let at = header.reduce((to, value) => array.writeInt32BE(value, to), 0)
  for (const item of items) {
    at = array.writeInt32BE(item?.length ?? -1, at)
    if (item === undefined) continue
    array.set(item, at)
    at += item.length
  }
  return items.length > 0 ? array : array.subarray(0, 12)
}

/** Null when no item has anything: the server is spared a column. */
export function optional<Item>(
  items: readonly (Item | undefined)[],
  write: (items: readonly (Item | undefined)[]) => string | Buffer,
): string | Buffer | null {
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

/** A single value of bytes. */
export const readBlob = (text: string): Bytes => Buffer.from(text.slice(2), 'hex')
