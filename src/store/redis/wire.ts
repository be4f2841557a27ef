import { Redis } from 'ioredis'
import type { Millis } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import type { Address } from './address.ts'
import { wordOf } from './fault.ts'
import { ownerConnector } from './owner.ts'
import type { Script } from './scripts.ts'

export type Argument = string | Buffer | number

const CONNECT_MS = 2000
/** Scripts are bounded to milliseconds: who is silent for longer is not there any more. */
const ANSWER_MS = 2000
/** How long a call waits for a line that is down before it fails. */
const READY_MS = 2500
const AGAIN_MAX_MS = 500
/** A sentinel that is silent is passed over. */
const SENTINEL_MS = 1000

const pause = (times: number): Millis => Math.min(50 * times, AGAIN_MAX_MS)

/**
 * The client's own queue and resending are off: what a caller was told has failed must not be sent
 * later, and only we know which calls may be repeated.
 */
const OPTIONS = {
  lazyConnect: true,
  protocol: 2 as const,
  connectTimeout: CONNECT_MS,
  commandTimeout: ANSWER_MS,
  keepAlive: 5000,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // It would be done behind our back: what fails there is heard by nobody, which ends the process.
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
  retryStrategy: pause,
  // A replica after a failover: the name may lead to the new primary by now.
  reconnectOnError: (error: Error) => wordOf(error) === 'READONLY',
}

/** Makes the clients of a store, each a line to the one server that holds its keys, `key` among them. */
export function connect(address: Address, key: string): Redis {
  const client = lineTo(address, key)
  // Heard by whoever calls; unheard the client would tell a terminal of every line that fails.
  return client.on('error', () => undefined)
}

function lineTo(address: Address, key: string): Redis {
  if (address.of === 'server') return new Redis(address.url, OPTIONS)
  const { login, tls } = address
  const options = { ...OPTIONS, ...login, ...(tls && { tls: {} }) }
  if (address.of === 'cluster')
    return new Redis({
      ...options,
      Connector: ownerConnector(address, key),
      reconnectOnError: (error) => ['MOVED', 'CLUSTERDOWN', 'READONLY'].includes(wordOf(error)),
    })
  const { nodes, name, db, sentinelPassword } = address
  return new Redis({
    ...options,
    sentinels: [...nodes],
    name,
    db,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: SENTINEL_MS,
    sentinelRetryStrategy: pause,
  })
}

/** One line to the server: calls in the order they were made, many in flight. */
export class Wire {
  readonly client: Redis
  #waiting: Promise<void> | undefined

  constructor(client: Redis) {
    this.client = client
  }

  /** Runs a script that the server may have forgotten, or never have heard of. */
  async run({ sha, text }: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    if (this.client.status !== 'ready') await this.ready()
    try {
      return await this.client.callBuffer('EVALSHA', sha, 1, key, ...args)
    } catch (error) {
      if (wordOf(error) === 'NOSCRIPT')
        return await this.client.callBuffer('EVAL', text, 1, key, ...args)
      // The other end may be gone without a word: a new line finds out.
      if (error instanceof Error && error.message === 'Command timed out')
        this.client.disconnect(true)
      throw error
    }
  }

  /** Resolves once the line stands. @throws ErrandError STORE_UNREACHABLE */
  ready(): Promise<void> {
    if (this.client.status === 'ready') return Promise.resolve()
    this.#waiting ??= this.#wait(READY_MS).finally(() => (this.#waiting = undefined))
    return this.#waiting
  }

  async #wait(ms: Millis): Promise<void> {
    const { client } = this
    let why = 'the line is down'
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const hear = (error: Error) => {
      why = 'code' in error && typeof error.code === 'string' ? error.code : error.message
    }
    const timer = setTimeout(() => reject(new ErrandError('STORE_UNREACHABLE', { why })), ms)
    client.once('ready', resolve).on('error', hear)
    try {
      if (client.status === 'wait' || client.status === 'end') client.connect().catch(hear)
      await promise
    } finally {
      clearTimeout(timer)
      client.off('ready', resolve).off('error', hear)
    }
  }
}
