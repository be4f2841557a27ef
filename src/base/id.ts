import { createHash, randomUUIDv7 } from 'node:crypto'

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** The twelve bits after the version, as text. */
const COUNTS = Array.from({ length: 4096 }, (_, n) => `-7${n.toString(16).padStart(3, '0')}`)
let latest = ''
let count = 0

/**
 * A fresh UUIDv7, higher than those this process made before, for the sake of indexes: they grow at their end
 * only (RFC 9562, 6.2, method 1). Never use an id as an age.
 */
export function newId(): string {
  const id = randomUUIDv7()
  const moment = id.slice(0, 13)
  if (moment > latest) {
    latest = moment
    count = 0
  } else count = Math.min(count + 1, COUNTS.length - 1)
  return latest + COUNTS[count] + id.slice(18)
}

export const isId = (text: string): boolean => UUID.test(text)

/** The UUIDv8 that these parts always give: the same parts, the same job. */
export function derivedId(...parts: readonly string[]): string {
  // Lengths before parts, so that ('a', 'bc') and ('ab', 'c') differ.
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  const hex = hash.digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
