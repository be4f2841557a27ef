import type { Context } from 'hono'
import type { By } from '../job/audit.ts'
import type { Env } from './app.ts'
import { given } from './given.ts'

/** On whose behalf a request acts, and why. */
export function byOf(c: Context<Env>, note?: string): { by: By } {
  const { person, tenant } = c.get('caller')
  return { by: { from: 'http', ...given({ person, tenant, note }) } }
}
