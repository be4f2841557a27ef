import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Hono } from 'hono'
import { z } from 'zod'

const Message = z.object({ to: z.string(), template: z.string() })

/**
 * A carrier that delivers nothing: it takes a message once under its key, refuses numbers that end in 13, and remembers
 * keys alone, in a file that outlives it.
 */
export function carrierStandIn(file: string): Hono {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const taken = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])
  taken.delete('')
  return new Hono()
    .post('/messages', async (c) => {
      const { to } = Message.parse(await c.req.json())
      const key = c.req.header('idempotency-key') ?? ''
      if (to.endsWith('13')) return c.json({ error: 'no such number' }, 422)
      if (taken.has(key)) return c.json({ status: 'taken before' })
      taken.add(key)
      appendFileSync(file, `${key}\n`, { mode: 0o600 })
      return c.json({ status: 'taken' }, 201)
    })
    .get('/messages/count', (c) => c.json({ count: taken.size }))
}
