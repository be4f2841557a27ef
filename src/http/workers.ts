import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import type { Parts } from './parts.ts'
import { Workers } from './schemas.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/workers',
  responses: { 200: json('Workers, and what they hold', Workers), default: problem },
})

export const workers = ({ errand: { watch } }: Parts) =>
  new OpenAPIHono<Env>().openapi(list, async (c) => c.json({ data: await watch.workers() }, 200))
