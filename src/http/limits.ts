import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { ErrandError } from '../job/errors.ts'
import type { Env } from './app.ts'
import { optionalJsonBody } from './body.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { LimitPath, Limits, Opened } from './schemas/limits.ts'
import type { Parts } from './parts.ts'
import { Noted } from './schemas/audit.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/limits',
  responses: { 200: json('Limits that were used lately', Limits), default: problem },
})

const open = createRoute({
  method: 'post',
  path: '/v1/limits/{name}/open',
  middleware: optionalJsonBody,
  request: { params: LimitPath, body: json('Why', Noted) },
  responses: { 200: json('It is open: calls pass again', Opened), default: problem },
})

/** Limits are shared by all apps and tenants of a store. */
export const limits = ({ errand: { client, watch } }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(list, async (c) => c.json({ data: await watch.limits() }, 200))
    .openapi(open, async (c) => {
      const { name } = c.req.valid('param')
      if (c.get('caller').tenant !== undefined)
        throw new ErrandError('SHARED', { what: 'the limit', name })
      const woken = await client.openLimit(name, byOf(c, c.req.valid('json').note))
      return c.json({ name, woken }, 200)
    })
