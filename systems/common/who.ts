import type { Env } from 'errand'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

export type Who = { tenant: string; user: string }

const TENANT = /^[\w@-][\w.@-]{0,63}$/
const PERSON = /^[\w@-][\w.@+-]{0,63}$/

/**
 * Who asks: as the app's `authenticate` says, else as the gateway in front of it says in `x-tenant` and `x-user`, else
 * a visitor.
 * @throws HTTPException 400 (a name that is none)
 */
export function whoAsks(c: Context<Env>): Who {
  const { tenant, person } = c.get('caller')
  return {
    tenant: tenant ?? named(c.req.header('x-tenant'), TENANT) ?? '',
    user: person ?? named(c.req.header('x-user'), PERSON) ?? 'visitor',
  }
}

/** A name that does not fit is refused rather than taken for a visitor's. */
function named(text: string | undefined, pattern: RegExp): string | undefined {
  if (text === undefined || text === '') return undefined
  if (pattern.test(text)) return text
  throw new HTTPException(400, {
    message:
      'x-tenant and x-user take up to 64 letters, digits, dots, dashes, _ or @; x-user + too',
  })
}
