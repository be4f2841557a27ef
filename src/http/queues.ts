import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { iso } from '../job/view.ts'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import type { Parts } from './parts.ts'
import { Queues } from './schemas.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/queues',
  responses: { 200: json('What lies in each queue', Queues), default: problem },
})

export const queues = ({ errand: { watch } }: Parts) =>
  new OpenAPIHono<Env>().openapi(list, async (c) => {
    const data = (await watch.queues()).map(({ oldestReadyAt, ...tally }) => ({
      ...tally,
      ...(oldestReadyAt !== undefined && { oldestReadyAt: iso(oldestReadyAt) }),
    }))
    return c.json({ data }, 200)
  })
