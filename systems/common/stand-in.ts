import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { Mishap, Mishaps } from './mishaps.ts'

/**
 * A stand-in for somebody else's service: a real HTTP process that can be told to be slow, to fail and to lose its
 * replies, and asked who called. One URL in a system's settings puts the real service in its place.
 *
 *     PUT    /stand-in/script   a list of mishaps, for the calls to come
 *     DELETE /stand-in/script   none any more
 *     GET    /stand-in/calls    the last calls: method, path, when, what was answered
 *     DELETE /stand-in/calls
 */
type Env = { Bindings: HttpBindings }
export type Call = { method: string; path: string; at: string; status?: number; lost?: true }
export type StandIn = AsyncDisposable & { url: string; port: number }

const CALLS_MAX = 10_000
const STANDBY_MS = 1000
const ARRIVAL_MS = 5000
const LOOK_MS = 50
const HIRED = '--hired'

/** Serves it here. With port 0 on any free one. */
export async function openStandIn(own: Hono, port: number): Promise<StandIn> {
  const answer = getRequestListener(dress(own).fetch)
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
  await listening(server, port)
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : port
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** The main program of a stand-in. While another has its port it stands by, and takes over when that goes. */
export async function runStandIn(own: Hono, port: number): Promise<void> {
  if (process.argv.includes(HIRED)) process.stdin.on('end', () => process.exit()).resume()
  for (;;)
    try {
      const { url } = await openStandIn(own, port)
      return console.log(`standing in at ${url}`)
    } catch (error) {
      if (!isTaken(error)) throw error
      await sleep(STANDBY_MS)
    }
}

/** Has a process of its own stand in for as long as this one lives. */
export function hireStandIn(file: URL): void {
  const child = spawn(process.execPath, ['--no-warnings', fileURLToPath(file), HIRED], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.unref()
}

/**
 * Waits until a stand-in listens that was hired as this process began: a call that comes before costs an attempt. All of
 * them together are waited for until the process is so old; then whoever calls finds out.
 */
export async function standsIn(port: number, ageMs = ARRIVAL_MS): Promise<void> {
  while (performance.now() < ageMs && !(await listens(port))) await sleep(LOOK_MS)
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function dress(own: Hono): Hono<Env> {
  const calls: Call[] = []
  const mishaps = new Mishaps()
  return new Hono<Env>()
    .put('/stand-in/script', async (c) => {
      mishaps.set(z.array(Mishap).parse(await c.req.json()))
      return c.json(mishaps.left)
    })
    .delete('/stand-in/script', (c) => (mishaps.set([]), c.body(null, 204)))
    .get('/stand-in/calls', (c) => c.json(calls))
    .delete('/stand-in/calls', (c) => (calls.splice(0), c.body(null, 204)))
    .use(async (c, next) => {
      const { method, path } = c.req
      const call: Call = { method, path, at: new Date().toISOString() }
      calls.splice(0, calls.length - CALLS_MAX + 1)
      calls.push(call)
      const { delayMs = 0, lose, status, headers, body } = mishaps.take(method, path) ?? {}
      if (delayMs > 0) await sleep(delayMs)
      if (lose === 'request') return cut(c, call)
      if (status !== undefined) {
        call.status = status
        return new Response(JSON.stringify(body ?? { error: 'scripted' }), {
          status,
          headers: { 'content-type': 'application/json', ...headers },
        })
      }
      await next()
      call.status = c.res.status
      return lose === 'reply' ? cut(c, call) : undefined
    })
    .route('/', own)
}

function cut(c: Context<Env>, call: Call): Response {
  call.lost = true
  c.env.incoming.socket.destroy()
  return RESPONSE_ALREADY_SENT
}

async function listening(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, '127.0.0.1', resolve)
  await promise
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
