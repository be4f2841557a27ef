type Env = Readonly<Record<string, string | undefined>>

/** What Kubernetes says of a service of that name to whoever runs beside it. */
const INJECTED = /^[A-Z]+_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_\w+)?)$/

/** Reads the settings of a system. A variable that begins as they do, and that nobody asked for, is a slip of the pen. */
export function readAll<Settings>(
  prefix: string,
  env: Env,
  read: (env: Env) => Settings,
): Settings {
  const asked = new Set<string>()
  const settings = read(
    new Proxy(env, {
      get(target, name) {
        if (typeof name === 'symbol') return undefined
        asked.add(name)
        return target[name]
      },
    }),
  )
  const isStray = (name: string) =>
    name.startsWith(prefix) && !asked.has(name) && !INJECTED.test(name)
  const stray = Object.keys(env).find(isStray)
  if (stray === undefined) return settings
  const known = [...asked].filter((name) => name.startsWith(prefix)).toSorted()
  throw new TypeError(`${stray} is no setting; there are ${known.join(', ')}`)
}
