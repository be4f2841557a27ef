import type { z } from '@hono/zod-openapi'
import { Problem } from './schemas.ts'

/** How a route says in the OpenAPI document that JSON goes in or comes out. */
export const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { 'application/json': { schema } },
})

export const problem = {
  description: 'Refused, and why (RFC 9457)',
  content: { 'application/problem+json': { schema: Problem } },
}

/** What `/openapi.json` says of itself. */
export const about = (version: string) => ({
  openapi: '3.1.0',
  info: { title: 'Errand', version, description: 'Background jobs over HTTP.' },
})
