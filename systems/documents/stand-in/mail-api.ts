import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Hono } from 'hono'
import { z } from 'zod'

/**
 * What stands in for a mail API. It sends nothing: it takes mails, refuses addresses that are none, knows a mail that
 * comes again by its key, and counts.
 *
 *     POST /mails          `Idempotency-Key`; 201, 200 when it came before, 422 for an address that is none
 *     GET  /mails          how many there are, and the last hundred
 */
const Mail = z.object({ to: z.string(), subject: z.string(), text: z.string() })
const Kept = z.object({ id: z.string(), key: z.string(), subject: z.string(), at: z.string() })
const ADDRESS = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/

export function mailApi(file?: string): Hono {
  const mails = file === undefined ? [] : readKept(file)
  const byKey = new Map(mails.map((mail) => [mail.key, mail]))
  let repeated = 0
  return new Hono()
    .post('/mails', async (c) => {
      const { to, subject } = Mail.parse(await c.req.json())
      if (!ADDRESS.test(to)) return c.json({ error: 'this is no address' }, 422)
      const key = c.req.header('idempotency-key') ?? crypto.randomUUID()
      const before = byKey.get(key)
      if (before) {
        repeated++
        return c.json({ id: before.id })
      }
      // Whom it went to is nobody's business: that is not kept.
      const mail = { id: `mail-${mails.length + 1}`, key, subject, at: new Date().toISOString() }
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(mail)}\n`, { mode: 0o600 })
      mails.push(mail)
      byKey.set(key, mail)
      return c.json({ id: mail.id }, 201)
    })
    .get('/mails', (c) => c.json({ count: mails.length, repeated, mails: mails.slice(-100) }))
}

function readKept(file: string): z.infer<typeof Kept>[] {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line.endsWith('}')).map((line) => Kept.parse(JSON.parse(line)))
}
