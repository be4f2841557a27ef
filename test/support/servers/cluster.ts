import { Redis } from 'ioredis'
import { eventually } from '../until.ts'
import { RedisServer } from './redis.ts'
import { freePort } from './server.ts'

const HOST = '127.0.0.1'
const SLOTS = 16_384
const PRIMARIES = 3
/** After how long a silent server is taken for dead. */
const SILENT_MS = 1000
const KEYS_MAX = 100_000

const CLUSTERED = [
  ['--cluster-enabled', 'yes'],
  ['--cluster-node-timeout', `${SILENT_MS}`],
  ['--cluster-replica-validity-factor', '0'],
  ['--repl-diskless-sync-delay', '0'],
].flat()

/** A server of a cluster, and somebody on it who may do anything. */
type Member = { server: RedisServer; admin: Redis; bus: number }

/** Three primaries that share the slots, and replicas of the first, which owns what lies under `{errand}`. */
export class RedisCluster implements AsyncDisposable {
  readonly members: readonly Member[]

  private constructor(members: readonly Member[]) {
    this.members = members
  }

  static async start(replicas = 0): Promise<RedisCluster> {
    const starting = Array.from({ length: PRIMARIES + replicas }, startMember)
    const cluster = new RedisCluster(await Promise.all(starting))
    await cluster.#form()
    return cluster
  }

  get url(): string {
    return `redis-cluster://${this.members.map(({ server }) => `${HOST}:${server.port}`).join(',')}`
  }

  /** The nth: those of 0, 1 and 2 are primaries at first. */
  at(n: number): Member {
    const member = this.members[n]
    if (member === undefined) throw new RangeError(`there is no member ${n}`)
    return member
  }

  async #form(): Promise<void> {
    const size = Math.ceil(SLOTS / PRIMARIES)
    const [first, ...others] = this.members
    for (const [i, { admin }] of this.members.entries()) {
      await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      if (i >= PRIMARIES) continue
      const last = Math.min(SLOTS, size * (i + 1)) - 1
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', size * i, last)
    }
    for (const { server, bus } of others)
      await first?.admin.call('CLUSTER', 'MEET', HOST, server.port, bus)
    const replicas = this.members.slice(PRIMARIES)
    await this.#agreed('INFO', /cluster_state:ok/)
    await this.#agreed('INFO', new RegExp(`cluster_known_nodes:${this.members.length}\\b`))
    for (const { server, admin } of replicas) {
      await admin.call('CLUSTER', 'REPLICATE', await idOf(this.at(0)))
      await eventually(() => server.isReplica())
    }
    await this.#agreed('NODES', new RegExp(`(slave [^]*){${replicas.length}}`))
  }

  /** All of them say so: whoever has not heard of a replica lets it take nobody's place. */
  async #agreed(question: string, sign: RegExp): Promise<void> {
    for (const { admin } of this.members)
      await eventually(async () => sign.test(String(await admin.call('CLUSTER', question))))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server, admin } of this.members) {
      admin.disconnect()
      await server[Symbol.asyncDispose]()
    }
  }
}

async function startMember(): Promise<Member> {
  const bus = await freePort()
  const server = await RedisServer.start(...CLUSTERED, '--cluster-port', `${bus}`)
  const admin = new Redis(server.url)
  admin.on('error', () => undefined)
  return { server, admin, bus }
}

/** A slot with its keys on its way from one server to another, as `redis-cli --cluster reshard` takes it. */
export class Move {
  readonly #from: Member
  readonly #to: Member
  readonly #slot: number

  private constructor(from: Member, to: Member, slot: number) {
    this.#from = from
    this.#to = to
    this.#slot = slot
  }

  static async begin(from: Member, to: Member, slot: number): Promise<Move> {
    const [source, target] = [await idOf(from), await idOf(to)]
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source)
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target)
    return new Move(from, to, slot)
  }

  /** Takes those keys along; all of them unless said. */
  async carry(fits: (key: Buffer) => boolean = () => true): Promise<void> {
    const { admin } = this.#from
    const { port } = this.#to.server
    const found = await admin.callBuffer('CLUSTER', 'GETKEYSINSLOT', this.#slot, KEYS_MAX)
    const keys = Array.isArray(found)
      ? found.filter((key) => Buffer.isBuffer(key) && fits(key))
      : []
    if (keys.length > 0) await admin.call('MIGRATE', HOST, port, '', 0, 5000, 'KEYS', ...keys)
  }

  /** Takes the rest along and tells both whose the slot is now. */
  async end(): Promise<void> {
    await this.carry()
    const target = await idOf(this.#to)
    for (const { admin } of [this.#to, this.#from])
      await admin.call('CLUSTER', 'SETSLOT', this.#slot, 'NODE', target)
  }
}

const idOf = async ({ admin }: Member): Promise<string> =>
  String(await admin.call('CLUSTER', 'MYID'))
