import { type Env, ErrandError } from 'errand'
import type { Context } from 'hono'
import type { z } from 'zod'

/** A request's body as a schema has it. @throws ErrandError VALIDATION_FAILED, each fault with its place */
export async function readBody<Of extends z.ZodType>(c: Context<Env>, schema: Of) {
  const body: unknown = await c.req.json().catch(() => undefined)
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  const issues = error.issues.map(({ path, code, message }) => ({
    pointer: path.map((key) => `/${String(key)}`).join(''),
    code,
    detail: message,
  }))
  throw new ErrandError('VALIDATION_FAILED', {}, { issues })
}

const NAME = /^[^\p{Cc}/\\]{1,100}$/u

/** The file that is the body, by the name that the query says. */
export async function readFile(c: Context<Env>): Promise<{ name: string; content: Uint8Array }> {
  const name = c.req.query('name') ?? ''
  const refuse = (parameter: string, problem: string) => {
    throw new ErrandError('INVALID_QUERY', { parameter, problem })
  }
  if (!NAME.test(name)) refuse('name', 'needs the name of the file, 100 characters at most')
  const content = new Uint8Array(await c.req.arrayBuffer())
  if (content.length === 0) refuse('name', 'names a file that is empty')
  return { name, content }
}
