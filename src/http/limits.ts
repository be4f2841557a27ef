import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import { LimitPath, Limits, Opened } from './limit-schemas.ts'
import type { Parts } from './parts.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/limits',
  responses: { 200: json('Limits that were used lately', Limits), default: problem },
})

const open = createRoute({
  method: 'post',
  path: '/v1/limits/{name}/open',
  request: { params: LimitPath },
  responses: { 200: json('It is open: calls pass again', Opened), default: problem },
})

/** Limits are shared by all apps and tenants of a store. */
export const limits = ({ errand: { client, watch } }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(list, async (c) => c.json({ data: await watch.limits() }, 200))
    .openapi(open, async (c) => {
      const { name } = c.req.valid('param')
      return c.json({ name, woken: await client.openLimit(name) }, 200)
    })
