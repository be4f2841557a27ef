const LEAVES_MAX = 100
/** A shorter text might be a word of the message itself; between quotation marks it is still left out. */
const LONG = 4

/** A message without the values that it is about: validators of some makes repeat what they were given. */
export function withoutValues(message: string, value: unknown): string {
  const texts = leavesOf(value).map((leaf) => `${leaf}`)
  // The longest first: one may be part of another.
  const worst = [...new Set(texts)]
    .filter((text) => text !== '')
    .toSorted((a, b) => b.length - a.length)
  return worst.reduce((left, text) => {
    const quoted = left.replaceAll(new RegExp(`(["'\`])${RegExp.escape(text)}\\1`, 'g'), '$1…$1')
    return text.length < LONG ? quoted : quoted.replaceAll(text, '…')
  }, message)
}

/** The value at a path; nothing where there is none. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (here, key) => (typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined),
    value,
  )

/** The texts and numbers in a value, so many at most. */
function leavesOf(value: unknown): (string | number | bigint)[] {
  const leaves: (string | number | bigint)[] = []
  const look = (here: unknown): void => {
    if (leaves.length >= LEAVES_MAX) return
    if (typeof here === 'string' || typeof here === 'number' || typeof here === 'bigint')
      leaves.push(here)
    else if (typeof here === 'object' && here !== null) Object.values(here).forEach(look)
  }
  look(value)
  return leaves
}
