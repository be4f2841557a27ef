import { connect as openTcp, Socket } from 'node:net'
import { connect as openTls } from 'node:tls'
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis'
import type { Address, Login, Node } from './address.ts'

type ClusterAddress = Extract<Address, { of: 'cluster' }>

/** A server that is silent is passed over: callers wait for the line. */
const ASK_MS = 1000
/** A line that was given up is waited for so long, then cut. */
const PART_MS = 500

/**
 * Leads a line to the server of a cluster that owns the slot of a store. All of a store lies in one slot,
 * so that one line to one server is enough, and it behaves as a line to any server: the client for whole
 * clusters would send again what may have arrived, and follow a slot that is being moved to half of its keys.
 * Every new line asks anew: after a failover or a move another server is the owner.
 */
export const ownerConnector = (
  address: ClusterAddress,
  key: string,
): NonNullable<RedisOptions['Connector']> =>
  class OwnerConnector extends AbstractConnector {
    readonly #search = new Search(address, key)

    constructor() {
      super(PART_MS)
    }

    /** What it cannot find is a line that fell at once: when to try again is the client's to say. */
    async connect(): Promise<Socket> {
      this.connecting = true
      delete this.firstError
      const owner = await this.#search.owner().catch((error: unknown) => {
        this.firstError = error instanceof Error ? error : new Error(String(error))
      })
      if (owner === undefined || !this.connecting) return (this.stream = new Socket().destroy())
      this.stream = address.tls ? openTls(owner) : openTcp(owner)
      return this.stream.once('error', (error: Error) => (this.firstError = error))
    }

    /** Who is said to be the owner may be a replica by now. */
    override check({ role }: { role?: string }): boolean {
      return role === undefined || role === 'master'
    }
  }

/** Asks one server after another who owns a key. */
class Search {
  readonly #seeds: ReadonlySet<string>
  /** Those of the URL and those that they name; who was asked goes to the end, so that no one's view is relied on. */
  readonly #known: Map<string, Node>
  readonly #key: string
  readonly #options: ReturnType<typeof optionsOf>

  constructor({ nodes, login, tls }: ClusterAddress, key: string) {
    this.#known = new Map(nodes.map((node) => [nameOf(node), node]))
    this.#seeds = new Set(this.#known.keys())
    this.#key = key
    this.#options = optionsOf(login, tls)
  }

  /** @throws what the last of them said, when none knows. */
  async owner(): Promise<Node> {
    const round = [...this.#known]
    let last: unknown
    for (const [name, node] of round) {
      this.#known.delete(name)
      if (this.#seeds.has(name)) this.#known.set(name, node)
      try {
        const [owner, ...others] = await this.#ask(node)
        for (const one of [...others, owner, node]) this.#known.set(nameOf(one), one)
        return owner
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /** The owner as this server sees it, then all others it knows. */
  async #ask(node: Node): Promise<[Node, ...Node[]]> {
    const client = new Redis({ ...this.#options, ...node })
    let heard: Error | undefined
    client.on('error', (error) => (heard = error))
    try {
      await client.connect()
      const [info, slot, ranges] = await Promise.all([
        client.cluster('INFO'),
        client.cluster('KEYSLOT', this.#key),
        client.cluster('SLOTS'),
      ])
      // Cut off from the others it knows only who the owner was.
      if (!/^cluster_state:ok/m.test(info)) throw new Error('the cluster is down')
      const holds = ([from, to]: (typeof ranges)[number]) => from <= slot && slot <= to
      const nodes = ranges
        .toSorted((a, b) => Number(holds(b)) - Number(holds(a)))
        .flatMap(([, , ...servers]) =>
          servers.map(([host, port]) => ({ host: host || node.host, port })),
        )
      const [owner, ...others] = nodes
      if (owner === undefined || !ranges.some(holds))
        throw new Error('no server of the cluster owns the slot')
      return [owner, ...others]
    } catch (error) {
      throw heard ?? error
    } finally {
      client.disconnect()
    }
  }
}

const optionsOf = (login: Login, tls: boolean) => ({
  ...login,
  ...(tls && { tls: {} }),
  lazyConnect: true,
  protocol: 2 as const,
  connectTimeout: ASK_MS,
  commandTimeout: ASK_MS,
  enableReadyCheck: false,
  disableClientInfo: true,
  retryStrategy: () => null,
})

const nameOf = ({ host, port }: Node): string => `${host}:${port}`
