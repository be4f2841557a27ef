import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { ErrandError } from '../job/errors.ts'
import { isLoopback, urlHost } from './address.ts'

/** Limits of a connection. An answer may take as long as it needs, but not its reader. */
export const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 5000,
  /** How long a client may take nothing of what lies ready for it. */
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
  const { stallTimeout, ...connection } = { ...LIMITS, ...limits }
  const server = createServer(connection, (incoming, outgoing) => {
    // Nothing was sent for so long: either there was nothing, or what there is was not taken.
    outgoing.setTimeout(stallTimeout, () => {
      if (outgoing.writableLength > 0) incoming.socket.destroy()
    })
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
