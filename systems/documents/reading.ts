import { type Env, ErrandError } from 'errand'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { fit, unfit } from '../common/fit.ts'

/** A request's body as a schema has it. @throws ErrandError VALIDATION_FAILED, each fault with its place */
export const readBody = async <Of extends z.ZodType>(c: Context<Env>, schema: Of) =>
  fit(schema, await c.req.json().catch(() => undefined))

/** A parameter of the query. @throws ErrandError INVALID_QUERY */
export function readQuery<Of extends z.ZodType>(
  c: Context<Env>,
  parameter: string,
  schema: Of,
  problem: string,
): z.output<Of> {
  const { success, data } = schema.safeParse(c.req.query(parameter))
  if (success) return data
  throw new ErrandError('INVALID_QUERY', { parameter, problem })
}

const Limit = z.coerce.number().int().min(1).max(200).default(20)

/** How many of the latest are asked for. @throws ErrandError INVALID_QUERY */
export const readLimit = (c: Context<Env>): number =>
  readQuery(c, 'limit', Limit, 'needs a number from 1 to 200')

const NAME = /^[^\p{Cc}/\\]{1,100}$/u

/** The file that is the body, by the name that the query says. */
export async function readFile(c: Context<Env>): Promise<{ name: string; content: Uint8Array }> {
  const name = c.req.query('name') ?? ''
  if (!NAME.test(name)) {
    const problem = 'needs the name of the file, 100 characters at most'
    throw new ErrandError('INVALID_QUERY', { parameter: 'name', problem })
  }
  // Its parts would be taken for the file.
  if (c.req.header('content-type')?.startsWith('multipart/'))
    throw new HTTPException(415, { message: 'The body is the file itself, not a form.' })
  const content = new Uint8Array(await c.req.arrayBuffer())
  if (content.length === 0)
    throw unfit([{ pointer: '', code: 'too_small', detail: 'The file is empty.' }])
  return { name, content }
}
