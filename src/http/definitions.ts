import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Definition } from '../job/define.ts'
import { toJsonSchema } from '../job/schema.ts'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import type { Parts } from './parts.ts'
import { Definitions } from './schemas.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/definitions',
  responses: { 200: json('What may be enqueued here', Definitions), default: problem },
})

export const definitions = ({ errand: { client } }: Parts) =>
  new OpenAPIHono<Env>().openapi(list, (c) =>
    c.json({ data: client.definitions.map(describe) }, 200),
  )

function describe({ name, queue, priority, policy, input }: Definition) {
  const schema = schemaOf(input)
  return { name, queue, priority, attempts: policy.attempts, ...(schema && { input: schema }) }
}

/** Some schemas say nothing JSON Schema could: they are left out. */
function schemaOf(input: Definition['input']): Record<string, unknown> | undefined {
  try {
    return toJsonSchema(input)
  } catch {
    return undefined
  }
}
