import type { Env } from 'errand'
import type { Context } from 'hono'

export type Who = { tenant: string; user: string }

const NAME = /^[\w.@-]{1,64}$/

/**
 * Who asks: as the app's `authenticate` says, else as the gateway in front of it says in `x-tenant` and `x-user`, else
 * a visitor.
 */
export function whoAsks(c: Context<Env>): Who {
  const { tenant, person } = c.get('caller')
  return {
    tenant: tenant ?? named(c.req.header('x-tenant')) ?? '',
    user: person ?? named(c.req.header('x-user')) ?? 'visitor',
  }
}

const named = (text: string | undefined) => (text && NAME.test(text) ? text : undefined)
