import { isDeepStrictEqual } from 'node:util'
import { type App, type BatchView, type Desk, ErrandError } from 'errand'
import { z } from 'zod'
import { whoAsks } from '../../common/who.ts'
import { readBody, readLimit } from '../reading.ts'
import { idOf } from '../repeat.ts'
import type { Records } from '../records.ts'
import { orGone } from '../gone.ts'
import { unlessTaken } from '../../common/doubt.ts'
import { sendMail } from './contract.ts'
import type { Mailing } from './mailings.ts'

const HALF = 'has half a character in it'
const isWhole = (text: string): boolean => text.isWellFormed()

const NewMailing = z.strictObject({
  /** Sent again under the same id it is one mailing. */
  id: z.uuid().optional(),
  subject: z
    .string()
    .max(200)
    .regex(/^[^\p{Cc}]+$/u, 'is one line of text')
    .refine(isWhole, HALF),
  text: z.string().min(1).max(10_000).refine(isWhole, HALF),
  /** So many of the contacts, the first of them; all unless said. */
  first: z.int().min(1).max(1_000_000).optional(),
})

type Routes = Parameters<NonNullable<App['routes']>>[0]

export function mailRoutes(app: Routes, errand: Desk, { mailings, contacts }: Records): void {
  const view = async (mailing: Mailing, tenant: string) => {
    const batch = await orGone(errand.batch(mailing.id, tenant))
    return toView(mailing, batch, mailings.refusals(mailing.id), contacts)
  }
  const found = (id: string) => {
    const mailing = mailings.find(id)
    if (mailing === undefined) throw new ErrandError('NOT_FOUND', {})
    return mailing
  }

  app.post('/mailings', async (c) => {
    const { tenant } = whoAsks(c)
    const { id = idOf(c), subject, text, first } = await readBody(c, NewMailing)
    const isNew = mailings.find(id) === undefined
    const asked = { id, tenant, subject, text, first }
    mailings.add(asked)
    const there = found(id)
    if (!isDeepStrictEqual({ ...there, at: 0 }, { ...asked, at: 0 }))
      throw new ErrandError('ID_TAKEN', { id })
    const items = contacts.ids(first).map((contactId) => ({ mailingId: id, contactId }))
    try {
      await errand.enqueueBatch(sendMail, items, { id, ...(tenant !== '' && { tenant }) })
    } catch (error) {
      const isTaken = async () => (await orGone(errand.batch(id, tenant))) !== undefined
      if (isNew) await unlessTaken(error, isTaken, () => mailings.remove(id))
      throw error
    }
    return c.json(await view(there, tenant), 202)
  })

  app.get('/mailings', async (c) => {
    const { tenant } = whoAsks(c)
    const limit = readLimit(c)
    const all = mailings.latest(tenant, limit + 1)
    const views = await Promise.all(all.slice(0, limit).map((one) => view(one, tenant)))
    const theirs = views.filter(({ status }) => status !== 'gone')
    return c.json({ contacts: contacts.count, data: theirs, more: all.length > limit })
  })

  app.get('/mailings/:id', async (c) => {
    const { tenant } = whoAsks(c)
    const { id } = await errand.batch(c.req.param('id'), tenant)
    return c.json(await view(found(id), tenant))
  })

  app.post('/mailings/:id/:act{cancel|retry}', async (c) => {
    const { tenant } = whoAsks(c)
    const { id, failed, stopped, outcome } = await errand.batch(c.req.param('id'), tenant)
    const mailing = found(id)
    const isRetry = c.req.param('act') === 'retry'
    // What is being cancelled would be cancelled with the others.
    const isEnding = stopped !== undefined && outcome === undefined
    if (isRetry ? failed === 0 || isEnding : outcome !== undefined)
      throw new ErrandError('WRONG_STATE', {
        id,
        state: outcome ?? (isEnding ? 'being cancelled' : 'sending'),
        verb: isRetry ? 'tried again' : 'cancelled',
      })
    await (isRetry ? errand.retryBatch(id) : errand.cancelBatch(id))
    return c.json(await view(mailing, tenant), 202)
  })
}

function toView(
  { id, subject, at }: Mailing,
  batch: BatchView | undefined,
  refusals: ReturnType<Records['mailings']['refusals']>,
  contacts: Records['contacts'],
) {
  const { items = 0, pending = 0, completed = 0, failed = 0, cancelled = 0 } = batch ?? {}
  return {
    mailing_id: id,
    subject,
    created_at: new Date(at).toISOString(),
    status: batch === undefined ? 'gone' : (batch.outcome ?? 'sending'),
    mails: items,
    sent: completed,
    failed,
    cancelled,
    pending,
    refused: refusals.map(({ contactId, why }) => ({
      contact: contactId,
      address: contacts.find(contactId)?.address ?? 'unknown',
      reason: why,
    })),
  }
}
