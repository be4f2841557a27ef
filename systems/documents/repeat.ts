import { createHash, randomUUID } from 'node:crypto'
import { type Env, ErrandError } from 'errand'
import type { Context } from 'hono'
import { whoAsks } from '../common/who.ts'

const KEY = /^[\x21-\x7e]{1,200}$/

/**
 * The id of what a request makes. Sent again under its `Idempotency-Key`, by the same caller on the same path, it makes
 * the same: who did not hear the answer asks again and is told of the first.
 */
export function idOf(c: Context<Env>, part = ''): string {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return randomUUID()
  if (!KEY.test(key))
    throw new ErrandError('INVALID_OPTION', {
      option: 'idempotency-key',
      problem: 'needs 1 to 200 visible characters',
    })
  const told = [whoAsks(c).tenant, c.req.path, key, part].join('\n')
  const hex = createHash('sha256').update(told).digest('hex')
  // Marked as a UUID of version 8, whose digits are of our own making.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
