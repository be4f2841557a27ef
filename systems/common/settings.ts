import { ZodError } from 'zod'

/** Variables of the environment, by their names. */
export type Env = Readonly<Record<string, string | undefined>>

/** What Kubernetes says of a service of that name to whoever runs beside it. */
const INJECTED = /^[A-Z]+_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_\w+)?)$/

/**
 * Reads the settings of a system. A variable that begins as they do, and that nobody asked for, is a slip of the pen.
 * @throws TypeError, which names the variable
 */
export function readAll<Settings>(
  prefix: string,
  env: Env,
  read: (env: Env) => Settings,
): Settings {
  const asked = new Set<string>()
  const settings = naming(prefix, () =>
    read(
      new Proxy(env, {
        get(target, name) {
          if (typeof name === 'symbol') return undefined
          asked.add(name)
          return target[name]
        },
      }),
    ),
  )
  const known = [...asked].filter((name) => name.startsWith(prefix)).toSorted()
  const stray = Object.keys(env).find(
    (name) => name.startsWith(prefix) && !asked.has(name) && !INJECTED.test(name),
  )
  if (stray !== undefined)
    throw new TypeError(`${stray} is no setting; there are ${known.join(', ')}`)
  for (const name of known.filter((one) => one.endsWith('_URL')))
    if (env[name] !== undefined && !isWeb(env[name]))
      throw new TypeError(`${name} needs a URL such as https://example.org`)
  return settings
}

const isWeb = (url: string): boolean => /^https?:$/.test(URL.parse(url)?.protocol ?? '')

/** A schema may leave out how all of its names begin. */
function naming<T>(prefix: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const [issue] = cause instanceof ZodError ? cause.issues : []
    if (issue === undefined) throw cause
    const name = String(issue.path[0])
    const whole = name.startsWith(prefix) ? name : prefix + name
    throw new TypeError(`${whole} does not fit: ${issue.message}`, { cause })
  }
}
