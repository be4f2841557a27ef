import { createHash, randomUUIDv7 } from 'node:crypto'

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** A fresh UUIDv7. Time-ordered for the sake of indexes; never use an id as an age. */
export const newId = (): string => randomUUIDv7()

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
