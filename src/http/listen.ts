import { createServer, type IncomingMessage, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { ErrandError } from '../job/errors.ts'
import { isNdjson } from './ndjson.ts'
import { isLoopback, urlHost } from './address.ts'

/** Limits of a connection. An answer may take as long as it needs, but not its reader. */
export const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** The same for a stream of items, which may be a million. */
  streamTimeout: 3_600_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 5000,
  /** How long a client may take nothing of what lies ready for it, or send nothing of what it began. */
  stallTimeout: 30_000,
}

export type Address = {
  host: string
  /** 0 takes any free one. */
  port: number
  /** Whether others than this machine may be let in: who asks is known, or it was said aloud. */
  isOpen: boolean
}

export type Listening = {
  readonly url: string
  readonly port: number
  /** Takes no more requests and waits for those begun; true when all were answered within `graceMs`. */
  readonly close: (graceMs: number) => Promise<boolean>
}

/**
 * Opens the door on an address.
 * @throws ErrandError ADDRESS_REFUSED (others could reach it, and nobody asks who they are),
 * ADDRESS_IN_USE, INVALID_SETTING
 */
export async function listen(
  app: { fetch(request: Request): Response | Promise<Response> },
  { host, port, isOpen }: Address,
  limits: Partial<typeof LIMITS> = {},
): Promise<Listening> {
  if (!isLoopback(host) && !isOpen) throw new ErrandError('ADDRESS_REFUSED', { host })
  const answer = getRequestListener((request) => app.fetch(request), { hostname: host })
  const { stallTimeout, requestTimeout, streamTimeout, ...connection } = { ...LIMITS, ...limits }
  const ours = { ...connection, requestTimeout: Math.max(requestTimeout, streamTimeout) }
  const server = createServer(ours, (incoming, outgoing) => {
    // Nothing came or went for so long: either there was nothing, or one of us stopped in its midst.
    outgoing.setTimeout(stallTimeout, () => {
      if (outgoing.writableLength > 0 || !incoming.complete) incoming.socket.destroy()
    })
    if (!isNdjson(incoming.headers['content-type'])) hurry(incoming, requestTimeout)
    // A connection that was busy when the server closed is kept for nothing once it is idle.
    outgoing.once('close', () => {
      if (!server.listening) server.closeIdleConnections()
    })
    void answer(incoming, outgoing)
  })
  await bind(server, host, port)
  const bound = server.address()
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port
  return {
    url: `http://${urlHost(host)}:${actual}`,
    port: actual,
    close: (graceMs) => close(server, graceMs),
  }
}

/** Answers 408 when a request does not come to its end in time: Node's own limit is that of streams. */
function hurry(incoming: IncomingMessage, ms: number): void {
  const { 'content-length': length = '0', 'transfer-encoding': pieces } = incoming.headers
  if (length === '0' && pieces === undefined) return
  const late = setTimeout(() => {
    if (!incoming.complete)
      incoming.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
  }, ms)
  // A server that was told to stop waits for nobody's body.
  late.unref()
  incoming.once('close', () => clearTimeout(late)).once('end', () => clearTimeout(late))
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error, host, port)))
    server.listen(port, host, resolve)
  })
}

function bindError(error: NodeJS.ErrnoException, host: string, port: number): ErrandError {
  if (error.code === 'EADDRINUSE')
    return new ErrandError(
      'ADDRESS_IN_USE',
      { address: `${urlHost(host)}:${port}` },
      { cause: error },
    )
  const problem = `cannot be listened on: ${error.code}`
  return new ErrandError('INVALID_SETTING', { setting: 'host', problem }, { cause: error })
}

async function close(server: Server, graceMs: number): Promise<boolean> {
  let isClean = true
  const late = setTimeout(() => {
    isClean = false
    server.closeAllConnections()
  }, graceMs)
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  clearTimeout(late)
  return isClean
}
