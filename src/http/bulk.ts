import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Act } from '../client/bulk.ts'
import type { Env } from './app.ts'
import { jsonBody } from './body.ts'
import { byOf } from './by.ts'
import { json, problem } from './document.ts'
import { given } from './given.ts'
import type { Parts } from './parts.ts'
import { BulkAct, BulkDone } from './schemas/bulk.ts'

const SAID = {
  retry: 'Which failed or cancelled jobs are given another life',
  cancel: 'Which jobs are to end',
  discard: 'Which failed or cancelled jobs are erased',
} as const satisfies Record<Act, string>
const ACTS = ['retry', 'cancel', 'discard'] as const

const route = (act: Act) =>
  createRoute({
    method: 'post',
    path: `/v1/jobs/${act}`,
    middleware: jsonBody,
    request: { body: { required: true, ...json(SAID[act], BulkAct) } },
    responses: {
      200: json('How many, and where to go on when there may be more', BulkDone),
      default: problem,
    },
  })

/** Acts on all jobs that fit a filter, a bounded number a call. */
export const bulk = ({ errand: { client } }: Parts) => {
  const nouns = new OpenAPIHono<Env>()
  for (const act of ACTS)
    nouns.openapi(route(act), async (c) => {
      const { filter, note, ...options } = c.req.valid('json')
      const { tenant } = c.get('caller')
      const which = given({ ...filter, tenant })
      const { next, ...done } = await client.bulk.run(act, which, {
        ...given(options),
        ...byOf(c, note),
      })
      return c.json({ ...done, ...given({ nextCursor: next }) }, 200)
    })
  return nouns
}
