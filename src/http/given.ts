/** Only the members that are there. */
export function given<T extends object>(
  members: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const there: { [Key in keyof T]?: Exclude<T[Key], undefined> } = {}
  for (const key in members) if (isThere(members, key)) there[key] = members[key]
  return there
}

const isThere = <T extends object, Key extends keyof T>(
  members: T,
  key: Key,
): members is T & Record<Key, Exclude<T[Key], undefined>> => members[key] !== undefined
