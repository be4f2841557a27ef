import { type App, ErrandError } from 'errand'
import type { Context } from 'hono'
import { z } from 'zod'
import { fit, unfit } from '../common/fit.ts'
import { servePage } from '../common/page.ts'
import { whoAsks } from '../common/who.ts'
import { Backend } from './backend.ts'
import { MassPaymentRequest } from './contract.ts'
import { Decisions } from './decisions.ts'
import { Listing } from './listing.ts'
import { Payments } from './payments.ts'
import { type Settings } from './settings.ts'
import { Sight, worded } from './sight.ts'

const Body = MassPaymentRequest.safeExtend({ id: z.uuid().toLowerCase().optional() })
const Key = z.string().regex(/^"?[\x21\x23-\x7e]{1,255}"?$/)
const Paging = z.object({
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(20),
})
const Search = Paging.extend({
  id: z.uuid().toLowerCase().optional(),
  external_reference: z.string().max(140).optional(),
})

/** The mass-payments API, in the words its users know. */
export const paymentRoutes =
  (url: string, settings: Settings): NonNullable<App['routes']> =>
  (app, { errand }) => {
    const backend = new Backend(url, settings.readTimeoutMs)
    const sight = new Sight(errand, backend)
    const payments = new Payments(errand, backend, sight)
    const listing = new Listing(errand, backend, sight)
    const decisions = new Decisions(errand, sight)
    servePage(app, new URL('page/', import.meta.url))

    app.post('/mass-payments', async (c) => {
      const { id: own, ...request } = fit(Body, await readJson(c))
      const key = readKey(c.req.header('idempotency-key'))
      const { tenant } = whoAsks(c)
      const { id, joined } = await payments.submit(request, { id: own, key, tenant })
      const { status, label } = joined ? await payments.view(id, tenant) : QUEUED
      const { external_reference } = request
      const location = `/payments/mass-payments/${id}`
      const named = external_reference !== '' && { external_reference }
      return c.json({ id, ...named, status, label }, 202, { location })
    })

    app.post('/mass-payments/sync', async (c) => {
      const { id: own, ...request } = fit(Body, await readJson(c))
      checkSize(request.payments.length, settings.syncRowsMax)
      const { tenant } = whoAsks(c)
      const key = readKey(c.req.header('idempotency-key'))
      const { id } = await payments.submit(request, { id: own, key, tenant })
      const view = await payments.viewOnce(id, tenant, settings.syncWaitMs)
      const isOver = ['processed', 'created', 'cancelled', 'failed'].includes(view.status)
      return c.json(view, isOver ? 200 : 202, { location: `/payments/mass-payments/${id}` })
    })

    app.get('/mass-payments', async (c) => {
      const { id, ...search } = fit(Search, c.req.query())
      const client = whoAsks(c).tenant
      return c.json(
        id === undefined
          ? await listing.page({ ...search, client })
          : await payments.listOne(id, client),
      )
    })

    app.get('/mass-payments/:id', async (c) =>
      c.json(await payments.view(readId(c.req.param('id')), whoAsks(c).tenant)),
    )

    for (const act of ['confirm', 'cancel', 'retry'] as const)
      app.post(`/mass-payments/:id/${act}`, async (c) => {
        const id = readId(c.req.param('id'))
        const { tenant } = whoAsks(c)
        if (act === 'confirm') {
          const key = readKey(c.req.header('idempotency-key'))
          return c.json({ id, accepted: act, job: await decisions.confirm(id, tenant, key) }, 202)
        }
        await decisions[act](id, tenant)
        return c.json({ id, accepted: act }, 202)
      })

    for (const [path, what] of [
      ['errors', 'errors'],
      ['payments-received', 'payments'],
    ] as const)
      app.get(`/mass-payments/:id/${path}`, async (c) => {
        const page = fit(Paging, c.req.query())
        return c.json(await payments.rows(readId(c.req.param('id')), whoAsks(c).tenant, what, page))
      })
  }

const QUEUED = { status: 'queued_for_processing', label: 'queued for processing' }

async function readJson(c: Context): Promise<unknown> {
  try {
    return await c.req.json()
  } catch (cause) {
    throw new ErrandError('INVALID_JSON', {}, { cause })
  }
}

function readId(text: string): string {
  const { success, data } = z.uuid().toLowerCase().safeParse(text)
  if (success) return data
  throw worded(new ErrandError('JOB_NOT_FOUND', { id: 'given' }))
}

function readKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const { success, data } = Key.safeParse(header)
  if (success) return data.replaceAll('"', '')
  throw new ErrandError('INVALID_IDEMPOTENCY_KEY', {})
}

/** Within a request there is time for few. */
function checkSize(rows: number, max: number): void {
  if (rows > max)
    throw unfit([{ pointer: '/payments', code: 'too_big', detail: `takes at most ${max} rows` }])
}
