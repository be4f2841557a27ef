import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { failpoint } from '../base/failpoint.ts'
import type { Millis } from '../base/time.ts'
import { isEnded } from '../job/state.ts'
import type { JobView as View } from '../job/view.ts'
import type { Env } from './app.ts'
import { jsonBody, optionalJsonBody } from './body.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { etagOf, matches } from './etag.ts'
import { given } from './given.ts'
import { readKey } from './idempotency.ts'
import type { Parts } from './parts.ts'
import { soon } from './patience.ts'
import { readWait, whileAwaited } from './prefer.ts'
import { pathOf, toResource } from './resource.ts'
import { JobPage, JobPath, JobQuery, JobView, NewJob, Retry } from './schemas.ts'
import { Noted } from './schemas/audit.ts'
import { submit } from './submit.ts'

const create = createRoute({
  method: 'post',
  path: '/v1/jobs',
  middleware: jsonBody,
  request: { body: { required: true, ...json('What to run, and on what', NewJob) } },
  responses: {
    200: json('Ended within the time the request preferred to wait', JobView),
    202: json('Accepted: stored, and it will run', JobView),
    default: problem,
  },
})

const list = createRoute({
  method: 'get',
  path: '/v1/jobs',
  request: { query: JobQuery },
  responses: {
    200: json('A page of jobs; it may be short while there is a next', JobPage),
    default: problem,
  },
})

const look = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}',
  request: { params: JobPath },
  responses: {
    200: json('The job as it stands', JobView),
    304: { description: 'It has not changed' },
    default: problem,
  },
})

const cancel = createRoute({
  method: 'post',
  path: '/v1/jobs/{id}/cancel',
  middleware: optionalJsonBody,
  request: { params: JobPath, body: json('Why, if somebody is to know', Noted) },
  responses: {
    200: json('Cancelled', JobView),
    202: json('It is running: its worker was asked', JobView),
    default: problem,
  },
})

const retry = createRoute({
  method: 'post',
  path: '/v1/jobs/{id}/retry',
  middleware: optionalJsonBody,
  request: { params: JobPath, body: json('Another input, if it needs one', Retry) },
  responses: { 202: json('It will run again under the same id', JobView), default: problem },
})

const erase = createRoute({
  method: 'delete',
  path: '/v1/jobs/{id}',
  request: { params: JobPath, query: Noted },
  responses: { 204: { description: 'It is gone, and all it left' }, default: problem },
})

/** Jobs: submit, look, list, cancel, retry, erase. */
export const jobs = ({ errand: { client, watch }, links, settings }: Parts) => {
  /** Waits while the caller does and the server may. */
  const waitFor = (c: Context<Env>, id: string, waitMs: Millis): Promise<View> => {
    const { tenant } = c.get('caller')
    if (waitMs === 0) return watch.job(id, tenant)
    return watch.ended(id, waitMs, tenant, whileAwaited(c, settings))
  }

  return new OpenAPIHono<Env>()
    .openapi(create, async (c) => {
      const { job, input, ...asked } = c.req.valid('json')
      const key = readKey(c.req.header('idempotency-key'))
      const wait = readWait(c.req.header('prefer'))
      const options = { ...given(asked), ...given({ tenant: c.get('caller').tenant }) }

      const submitted = submit(client, { job, input, options, key }).then(async (accepted) => {
        failpoint('reply.sending')
        const seen = wait === undefined ? await waitFor(c, accepted.id, 0) : undefined
        return { ...accepted, seen }
      })
      const { id, joined, seen } = await soon(submitted)
      const view = seen ?? (await waitFor(c, id, (wait ?? 0) * 1000))
      return c.json(
        { ...toResource(view, links), ...(joined && { joined }) },
        wait !== undefined && isEnded(view.state) ? 200 : 202,
        {
          location: pathOf(id),
          ...describe(view, wait),
          ...(joined && key !== undefined && { 'idempotency-replayed': 'true' }),
        },
      )
    })
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query')
      const { tenant } = c.get('caller')
      const page = await watch.list(given({ ...filter, tenant }), limit, cursor)
      const data = page.jobs.map((view) => toResource(view, links))
      return c.json({ data, ...given({ nextCursor: page.next }) }, 200)
    })
    .openapi(look, async (c) => {
      const wait = readWait(c.req.header('prefer'))
      const view = await waitFor(c, c.req.valid('param').id, (wait ?? 0) * 1000)
      const headers = describe(view, wait)
      // Signed links grow old while the job stays as it is, so a job with files is always told anew.
      const isKnown =
        matches(c.req.header('if-none-match'), headers.etag) && view.artifacts === undefined
      return isKnown ? c.body(null, 304, headers) : c.json(toResource(view, links), 200, headers)
    })
    .openapi(cancel, async (c) => {
      const { id } = await watch.job(c.req.valid('param').id, c.get('caller').tenant)
      const answer = await client.cancel(id, byOf(c, c.req.valid('json').note))
      const view = await watch.job(id)
      return c.json(toResource(view, links), answer === 'asked' ? 202 : 200, describe(view))
    })
    .openapi(retry, async (c) => {
      const { id } = await watch.job(c.req.valid('param').id, c.get('caller').tenant)
      const { note, ...options } = c.req.valid('json')
      await client.retry(id, { ...given(options), ...byOf(c, note) })
      const view = await watch.job(id)
      return c.json(toResource(view, links), 202, { location: pathOf(id), ...describe(view) })
    })
    .openapi(erase, async (c) => {
      const { id } = await watch.job(c.req.valid('param').id, c.get('caller').tenant)
      await client.erase(id, byOf(c, c.req.valid('query').note))
      return c.body(null, 204)
    })
}

/** What the headers say of a job: its version, when to ask again, and that the wait was granted. */
const describe = ({ rev, state }: View, wait?: number) => ({
  etag: etagOf(rev),
  ...(!isEnded(state) && { 'retry-after': '1' }),
  ...(wait !== undefined && { 'preference-applied': `wait=${wait}` }),
})
