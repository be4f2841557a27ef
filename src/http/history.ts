import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { AttemptView } from '../watch/views.ts'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import type { Parts } from './parts.ts'
import { WhyView } from './schemas/why.ts'
import { Attempts, JobPath, LogQuery, Logs, Steps } from './schemas.ts'

const attempts = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/attempts',
  request: { params: JobPath },
  responses: { 200: json('Every attempt that did not complete', Attempts), default: problem },
})

const steps = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/steps',
  request: { params: JobPath },
  responses: { 200: json('What its runs recorded, in that order', Steps), default: problem },
})

const logs = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/logs',
  request: { params: JobPath, query: LogQuery },
  responses: { 200: json('Log lines after the given number', Logs), default: problem },
})

const why = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/why',
  request: { params: JobPath },
  responses: { 200: json('Why it is not running, or where it stands', WhyView), default: problem },
})

/** What happened to a job so far. Stacks are for operators and stay inside. */
export const history = ({ errand: { watch } }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(attempts, async (c) => {
      const views = await watch.attempts(c.req.valid('param').id, c.get('caller').tenant)
      return c.json({ data: views.map(withoutStack) }, 200)
    })
    .openapi(steps, async (c) => {
      const views = await watch.steps(c.req.valid('param').id, c.get('caller').tenant)
      return c.json({ data: views }, 200)
    })
    .openapi(why, async (c) => {
      const { tenant } = c.get('caller')
      return c.json(await watch.why(c.req.valid('param').id, tenant), 200)
    })
    .openapi(logs, async (c) => {
      const { tenant } = c.get('caller')
      const page = { ...c.req.valid('query'), ...(tenant !== undefined && { tenant }) }
      return c.json({ data: await watch.logs(c.req.valid('param').id, page) }, 200)
    })

function withoutStack({ error, ...attempt }: AttemptView) {
  if (error === undefined) return attempt
  const { stack: _, ...told } = error
  return { ...attempt, error: told }
}
