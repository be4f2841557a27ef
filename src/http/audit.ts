import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import { given } from './given.ts'
import type { Parts } from './parts.ts'
import { AuditPage, AuditQuery } from './schemas/audit.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/audit',
  request: { query: AuditQuery },
  responses: { 200: json('Who did what, the newest first', AuditPage), default: problem },
})

/** The audit log; a tenant sees what was done in its name. */
export const audit = ({ errand: { watch } }: Parts) =>
  new OpenAPIHono<Env>().openapi(list, async (c) => {
    const { limit, cursor, ...asked } = c.req.valid('query')
    const filter = given({ ...asked, tenant: c.get('caller').tenant })
    const { entries, next } = await watch.audit(filter, limit, cursor)
    return c.json({ data: entries, ...(next !== undefined && { nextCursor: `${next}` }) }, 200)
  })
