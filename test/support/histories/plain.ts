const UNORDERED = new Set(['tags', 'artifacts', 'cancelAsked'])

/** A value as two programs may compare it: bytes as hex, what is undefined left out, what has no order in one. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [name, UNORDERED.has(name) ? sorted(field) : plain(field)])
  return Object.fromEntries(entries)
}

export const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(plain).toSorted(byText) : value

const byText = (one: unknown, other: unknown) =>
  JSON.stringify(one) < JSON.stringify(other) ? -1 : 1

/** The same on one line for people: names for ids, moments counted from the beginning. */
export const written = (value: unknown, from: number): string =>
  (JSON.stringify(plain(value)) ?? 'nothing')
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll(/(?<![\d-])\d{13}(?!\d)/g, (moment) => `T+${Number(moment) - from}`)
    .replaceAll(/"?([a-z])\1{7}-0000-7000-8000-0*([0-9a-f]+)"?/g, '$1$2')
    .replaceAll(',', ', ')
