import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { newId } from '../base/id.ts'
import type { Env } from './app.ts'
import { optionalJsonBody } from './body.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { etagOf } from './etag.ts'
import { readKey } from './idempotency.ts'
import type { Parts } from './parts.ts'
import { toResource } from './resource.ts'
import { JobPath, JobView, Signal, SignalPath, Signals } from './schemas.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/signals',
  request: { params: JobPath },
  responses: { 200: json('What was sent to it, in that order', Signals), default: problem },
})

const send = createRoute({
  method: 'post',
  path: '/v1/jobs/{id}/signals/{name}',
  middleware: optionalJsonBody,
  request: { params: SignalPath, body: json('What the handler is given', Signal) },
  responses: {
    202: json('It lies in the mailbox of the job, which runs on if it waited for it', JobView),
    default: problem,
  },
})

/** Signals to jobs; sent again under the same Idempotency-Key one counts once. */
export const signals = ({ errand: { client, watch }, links }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(list, async (c) => {
      const views = await watch.signals(c.req.valid('param').id, c.get('caller').tenant)
      return c.json({ data: views }, 200)
    })
    .openapi(send, async (c) => {
      const { id: given, name } = c.req.valid('param')
      const { value = null, ifWaiting = false } = c.req.valid('json')
      const key = readKey(c.req.header('idempotency-key'))
      const { id } = await watch.job(given, c.get('caller').tenant)
      const { repeated } = await client.signal(id, name, value, {
        key: key ?? newId(),
        ifWaiting,
        ...byOf(c),
      })
      const view = await watch.job(id)
      return c.json(toResource(view, links), 202, {
        etag: etagOf(view.rev),
        ...(repeated && { 'idempotency-replayed': 'true' }),
      })
    })
