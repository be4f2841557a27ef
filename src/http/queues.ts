import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { ErrandError } from '../job/errors.ts'
import { iso } from '../job/view.ts'
import type { Env } from './app.ts'
import { optionalJsonBody } from './body.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { given } from './given.ts'
import type { Parts } from './parts.ts'
import { Noted } from './schemas/audit.ts'
import { PauseQueue, QueuePath, Queues, QueueStanding } from './schemas/queues.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/queues',
  responses: { 200: json('What lies in each queue', Queues), default: problem },
})

const pause = createRoute({
  method: 'post',
  path: '/v1/queues/{queue}/pause',
  middleware: optionalJsonBody,
  request: { params: QueuePath, body: json('Why', PauseQueue) },
  responses: {
    200: json('It hands nothing out until it is resumed', QueueStanding),
    default: problem,
  },
})

const resume = createRoute({
  method: 'post',
  path: '/v1/queues/{queue}/resume',
  middleware: optionalJsonBody,
  request: { params: QueuePath, body: json('Why', Noted) },
  responses: { 200: json('It hands out again', QueueStanding), default: problem },
})

/** Queues: what lies in each, and whether it hands out. */
export const queues = ({ errand: { watch, pauses } }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(list, async (c) => {
      const data = (await watch.queues()).map(({ oldestReadyAt, ...tally }) => ({
        ...tally,
        ...(oldestReadyAt !== undefined && { oldestReadyAt: iso(oldestReadyAt) }),
      }))
      return c.json({ data }, 200)
    })
    .openapi(pause, async (c) => {
      const { queue } = c.req.valid('param')
      refuseTenant(queue, c.get('caller'))
      const { paused } = await pauses.pause(queue, { ...given(c.req.valid('json')), ...byOf(c) })
      return c.json({ queue, paused }, 200)
    })
    .openapi(resume, async (c) => {
      const { queue } = c.req.valid('param')
      refuseTenant(queue, c.get('caller'))
      await pauses.resume(queue, byOf(c, c.req.valid('json').note))
      return c.json({ queue }, 200)
    })

/** In a queue lie the jobs of all tenants. */
function refuseTenant(queue: string, { tenant }: { tenant?: string }): void {
  if (tenant !== undefined) throw new ErrandError('SHARED', { what: 'the queue', name: queue })
}
