import { ErrandError } from '../../job/errors.ts'

export type Node = { host: string; port: number }
export type Login = { username?: string; password?: string }

/** Where a store is, as a URL says it: a server, who watches over one, or many that share all keys out. */
export type Address = {
  prefix: string | undefined
  /** For people: it holds no secret. */
  location: string
} & (
  | { of: 'server'; url: string }
  | ({
      of: 'sentinels'
      nodes: readonly Node[]
      name: string
      db: number
      sentinelPassword?: string
    } & Guarded)
  | ({ of: 'cluster'; nodes: readonly Node[] } & Guarded)
)
type Guarded = { login: Login; tls: boolean }

const MANY = /^redis(s?)-(sentinel|cluster):\/\/(?:([^/?#]*)@)?([^/?#]*)\/?([^?#]*)(?:\?([^#]*))?$/
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i
const PORT_MAX = 65_535
const PORTS = { sentinel: 26_379, cluster: 6379 }

/**
 * `?prefix=` is ours; the rest is the client's. Of a URL that is wrong nothing is repeated: it may hold a
 * password.
 * @throws ErrandError STORE_UNREACHABLE, INVALID_OPTION
 */
export function readAddress(url: string): Address {
  return /^rediss?-/.test(url) ? readMany(url) : readOne(url)
}

function readOne(url: string): Address {
  if (!URL.canParse(url))
    throw new ErrandError('STORE_UNREACHABLE', { why: 'the URL of the store is none' })
  const parsed = new URL(url)
  for (const part of [parsed.username, parsed.password]) decode(part)
  const prefix = parsed.searchParams.get('prefix') ?? undefined
  parsed.searchParams.delete('prefix')
  const db = /^\/(\d+)$/.exec(parsed.pathname)?.[1] ?? '0'
  const location = `${parsed.hostname}:${parsed.port || '6379'}/${db}`
  return { of: 'server', url: parsed.href, location, prefix }
}

/** Several hosts, each with its port, are no URL to the platform. */
function readMany(url: string): Address {
  const [, secure, of, user, hosts = '', path = '', query] = MANY.exec(url) ?? []
  if (of !== 'sentinel' && of !== 'cluster')
    return refuse('needs redis-sentinel://<hosts>/<name> or redis-cluster://<hosts>')
  const nodes = hosts.split(',').map((host) => readNode(host, PORTS[of]))
  const where = nodes.map(({ host, port }) => `${bracket(host)}:${port}`).join(',')
  const params = new URLSearchParams(query)
  const prefix = params.get('prefix') ?? undefined
  const common = { nodes, login: readLogin(user), tls: secure === 's', prefix }
  if (of === 'cluster') {
    if (path !== '') return refuse('names a cluster, which has no databases: no path')
    refuseOthers(params, ['prefix'])
    return { ...common, of, location: where }
  }
  const [, name, db = '0'] = /^([^/]+)(?:\/(\d+))?$/.exec(path) ?? []
  if (name === undefined)
    return refuse('needs the name that the sentinels know: redis-sentinel://<hosts>/<name>')
  refuseOthers(params, ['prefix', 'sentinelPassword'])
  const sentinelPassword = params.get('sentinelPassword')
  return {
    ...common,
    of: 'sentinels',
    name: decode(name),
    db: Number(db),
    location: `${where}/${decode(name)}/${db}`,
    ...(sentinelPassword !== null && { sentinelPassword }),
  }
}

function readNode(text: string, port: number): Node {
  const [, host, given = `${port}`] = HOST.exec(text) ?? []
  if (host === undefined || Number(given) > PORT_MAX)
    return refuse('needs hosts as host:port, with commas between them')
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(given) }
}

function readLogin(text: string | undefined): Login {
  const [username = '', ...rest] = text?.split(':') ?? []
  const password = rest.join(':')
  return {
    ...(username !== '' && { username: decode(username) }),
    ...(password !== '' && { password: decode(password) }),
  }
}

function refuseOthers(params: URLSearchParams, known: readonly string[]): void {
  if ([...params.keys()].some((name) => !known.includes(name)))
    refuse(`has a parameter that is none of ${known.join(', ')}`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return refuse('has a percent sign that encodes nothing')
  }
}

const bracket = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function refuse(problem: string): never {
  throw new ErrandError('INVALID_OPTION', { option: 'store', problem })
}
