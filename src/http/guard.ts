import type { MiddlewareHandler } from 'hono'
import { newId } from '../base/id.ts'
import { ErrandError } from '../job/errors.ts'
import { isLoopback } from './address.ts'
import type { App, Env } from './app.ts'
import { isOpen, isShared } from './origins.ts'
import type { ServerSettings } from './parts.ts'
import { answerProblem } from './problem.ts'

type Guard = MiddlewareHandler<Env>

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

/** Gives each request an id of our own and each answer the headers of a careful server, unless its route set others. */
export const identify =
  ({ draining }: ServerSettings): Guard =>
  async (c, next) => {
    c.set('requestId', newId())
    c.set('caller', {})
    await next()
    const { headers } = c.res
    headers.set('x-request-id', c.get('requestId'))
    if (draining?.aborted) headers.set('connection', 'close')
    for (const [header, value] of Object.entries(HEADERS))
      if (!headers.has(header)) headers.set(header, value)
  }

const THIS_MACHINE = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/** On loopback, a page elsewhere that points its own name at this machine is not answered. */
export const knowHost = ({ host = '127.0.0.1' }: ServerSettings): Guard => {
  const isReached = !isLoopback(host)
  return (c, next) => {
    const asked = c.req.header('host') ?? new URL(c.req.url).host
    if (isReached || THIS_MACHINE.test(asked)) return next()
    throw new ErrandError('MISDIRECTED_REQUEST', {})
  }
}

const SAFE = ['GET', 'HEAD', 'OPTIONS']

/** What another site makes a browser send may be read, never done. */
export const refuseCrossSite =
  (app: App): Guard =>
  async (c, next) => {
    const isForeign = c.req.header('sec-fetch-site') === 'cross-site'
    if (isForeign && !SAFE.includes(c.req.method) && !isShared(app, c))
      return answerProblem(c, new ErrandError('MISDIRECTED_REQUEST', {}), 403)
    await next()
  }

const PROBE = /^\/health\/(?:live|ready)$/
const ARTIFACT = /^\/v1\/jobs\/[^/]+\/artifacts\/[^/]+$/

/** Finds out who asks. Probes are open, and what the app says is; a signed link is checked where its file is read. */
export const authenticate =
  (app: App): Guard =>
  async (c, next) => {
    const isLink = ARTIFACT.test(c.req.path) && c.req.query('signature') !== undefined
    if (app.authenticate === undefined || isLink || PROBE.test(c.req.path) || isOpen(app, c))
      return next()
    const caller = await app.authenticate(c.req.raw)
    if (caller === undefined) throw new ErrandError('UNAUTHENTICATED', {})
    c.set('caller', caller)
    await next()
  }
