import { createHash } from 'node:crypto'
import { type App, type Env, ErrandError } from 'errand'
import type { Context } from 'hono'
import { etag } from 'hono/etag'
import { hireStandIn } from '../common/stand-in.ts'
import { servePage } from '../common/page.ts'
import { whoAsks } from '../common/who.ts'
import { Batches } from './batch/api-service.ts'
import { openRecords } from './batch/open-records.ts'
import type { BatchRecord } from './batch/records.ts'
import { toDomain as toView } from './batch/status.ts'
import { toEvents } from './live.ts'
import { BATCH_ID, readRequest, readWait, SAMPLE, toDomain } from './request.ts'
import type { Settings } from './settings.ts'

const LIST_MAX = 20
const STREAM = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }

/** The API in the words of those who asked for it. Nothing here knows how a domain is read. */
export const domainRoutes =
  (settings: Settings): NonNullable<App['routes']> =>
  async (app, { errand }) => {
    const records = await openRecords(settings.database, settings.store)
    const batches = new Batches(errand, records, settings)
    if (settings.isHired) hireStandIn(new URL('stand-in/main.ts', import.meta.url))
    servePage(app, new URL('page/', import.meta.url))

    app.post('/batch', async (c) => {
      const request = { batch_id: readKey(c), ...(await readRequest(c.req)) }
      return accepted(c, await batches.submit(whoAsks(c), request))
    })

    app.post('/sample', async (c) =>
      accepted(c, await batches.submit(whoAsks(c), { batch_id: readKey(c), ...SAMPLE })),
    )

    app.get('/batch', async (c) => c.json({ data: await batches.list(whoAsks(c), LIST_MAX) }))

    app.get('/batch/:id', etag(), async (c) => {
      const waitMs = readWait(c.req.header('prefer'))
      const id = c.req.param('id')
      return c.json(
        waitMs === 0
          ? await batches.status(whoAsks(c), id)
          : await batches.ended(whoAsks(c), id, waitMs, c.req.raw.signal),
      )
    })

    app.get('/batch/:id/events', async (c) => {
      const id = c.req.param('id')
      // An unknown batch is answered with 404 before a stream begins.
      await batches.status(whoAsks(c), id)
      const statuses = batches.follow(whoAsks(c), id, c.req.raw.signal)
      return c.body(ReadableStream.from(toEvents(statuses)), 200, STREAM)
    })

    app.get('/batch/:id/domains/:domain', async (c) => {
      const { id, domain } = which(c)
      const view = await batches.domain(whoAsks(c), id, domain)
      const said = view ? toView(view) : (await batches.status(whoAsks(c), id)).domains[domain]
      return c.json({ domain, ...said, facts: view?.result ?? null })
    })

    app.post('/batch/:id/cancel', async (c) => {
      await batches.cancel(whoAsks(c), c.req.param('id'))
      return answer(c)
    })

    app.post('/batch/:id/retry', async (c) => {
      const retried = await batches.retry(whoAsks(c), c.req.param('id'))
      return answer(c, { retried })
    })

    app.post('/batch/:id/domains/:domain/retry', async (c) => {
      const { id, domain } = which(c)
      await batches.retryDomain(whoAsks(c), id, domain)
      return answer(c, { retried: 1 })
    })

    const answer = async (c: Context<Env>, more = {}) => {
      const { domains: _, ...status } = await batches.status(whoAsks(c), c.req.param('id') ?? '')
      return c.json({ ...more, ...status }, 202)
    }
  }

const KEY = /^[\x21-\x7e]{1,255}$/

/** Without an id of its own a batch bears the key of its request, or one made of it: sent again, it is the same. */
function readKey(c: Context<Env>): string | undefined {
  const key = c.req.header('idempotency-key')
  if (key === undefined || BATCH_ID.test(key)) return key
  if (!KEY.test(key)) throw new ErrandError('INVALID_IDEMPOTENCY_KEY', {})
  return `key-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
}

function accepted(c: Context<Env>, { batchId, domains, createdAt }: BatchRecord) {
  const at = new URL(c.req.url).pathname.replace(/\/[^/]+$/, `/batch/${batchId}`)
  const said = {
    batch_id: batchId,
    status_url: at,
    job_count: domains.length,
    created_at: new Date(createdAt).toISOString(),
  }
  return c.json(said, 202, { location: at })
}

/** A domain of a batch, as its batch spells it. */
function which(c: Context<Env>): { id: string; domain: string } {
  const { id = '', domain = '' } = c.req.param()
  return { id, domain: toDomain(domain) ?? domain }
}
