import { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { ErrandError } from '../job/errors.ts'
import type { Env } from './app.ts'
import { artifacts } from './artifacts.ts'
import { audit } from './audit.ts'
import { batches } from './batches.ts'
import { limitBody, wellFormedJson } from './body.ts'
import { bulk } from './bulk.ts'
import { definitions } from './definitions.ts'
import { deskOf } from './desk.ts'
import { about } from './document.ts'
import { events } from './events.ts'
import { authenticate, identify, knowHost, refuseCrossSite } from './guard.ts'
import { health, probes } from './health.ts'
import { history } from './history.ts'
import { jobs } from './jobs.ts'
import { limits } from './limits.ts'
import { metrics, Requests } from './metrics.ts'
import { share } from './origins.ts'
import type { Parts } from './parts.ts'
import { answerProblem } from './problem.ts'
import { queues } from './queues.ts'
import { refuseUnfit } from './refusal.ts'
import { schedules } from './schedules.ts'
import { signals } from './signals.ts'
import { start } from './start.ts'
import { workers } from './workers.ts'

export type { Answered, Parts, ServerErrand, ServerSettings } from './parts.ts'

/**
 * The door for everyone else, as a `fetch` handler: the API, the app's own routes, probes and metrics.
 * An app's routes win over the built-in ones except below `/v1` and the probes.
 */
export async function buildServer(parts: Parts): Promise<OpenAPIHono<Env>> {
  const { app, settings } = parts
  const requests = new Requests()
  const server = new OpenAPIHono<Env>({ strict: false, defaultHook: refuseUnfit })
  answerRefusals(server, parts)

  server.use(requests.observe(settings), identify(settings))
  server.use(knowHost(settings), share(app), refuseCrossSite(app))
  server.use(authenticate(app), limitBody(app))
  for (const noun of [
    jobs,
    batches,
    bulk,
    audit,
    signals,
    events,
    history,
    artifacts,
    queues,
    schedules,
    limits,
    workers,
    definitions,
    probes,
  ])
    server.route('/', noun(parts))
  server.route(app.mount ?? '/', await ownRoutes(parts))
  server.route('/', health(parts))
  server.route('/', metrics(parts, requests))
  server.route('/', start(parts))
  server.get('/openapi.json', (c) => c.json(server.getOpenAPI31Document(about(settings.version))))
  return server
}

/** Errors become problems, whoever threw them; those of ours are reported. */
function answerRefusals(server: OpenAPIHono<Env>, { settings: { onError } }: Parts): void {
  server.onError((error, c) => {
    const answer = answerProblem(c, error)
    if (answer.status >= 500) onError?.(error, c.get('requestId'))
    return answer
  })
  server.notFound((c) => {
    const allow = allowed(server, c.req.path)
    if (allow === '') return answerProblem(c, new ErrandError('NOT_FOUND', {}))
    c.header('allow', allow)
    return answerProblem(c, new ErrandError('METHOD_NOT_ALLOWED', { allow }))
  })
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** The methods that have a handler at a path; guards, which take every method, are none. */
const allowed = ({ router }: OpenAPIHono<Env>, path: string): string =>
  METHODS.filter((method) =>
    router.match(method, path)[0].some(([[, route]]) => route.method === method),
  )
    .map((method) => (method === 'GET' ? 'GET, HEAD' : method))
    .join(', ')

/** The app's own pages may load what they bring, and nothing from elsewhere. */
async function ownRoutes(parts: Parts): Promise<Hono<Env>> {
  const own = new Hono<Env>()
  own.use(wellFormedJson, async (c, next) => {
    await next()
    const { headers } = c.res
    if (!headers.has('content-security-policy'))
      headers.set('content-security-policy', "default-src 'self'; frame-ancestors 'none'")
  })
  await parts.app.routes?.(own, { errand: deskOf(parts) })
  return own
}
