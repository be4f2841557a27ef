// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import { Hono } from 'hono'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { paymentsApp } from '../../../systems/payments/app.ts'
import { openBackend } from '../../../systems/payments/stand-in/backend.ts'
import { until } from '../../support/command.ts'
import type { onEachStore, System } from '../stage.ts'

export const GOOD = 'DE89370400440532013000'
export const BAD = 'DE00370400440532013000'

export const View = z.object({
  id: z.uuid(),
  status: z.string(),
  label: z.string(),
  with_errors: z.boolean(),
  counts: z
    .object({ received: z.int(), processed: z.int(), errored: z.int(), created: z.int() })
    .optional(),
  confirmation: z.object({ needed: z.boolean(), expires_at: z.string().optional() }).optional(),
  cancellation: z.object({ refused: z.boolean(), reason: z.string() }).optional(),
  error: z.object({ message: z.string() }).optional(),
  acts: z.array(z.string()),
})
export const List = z.object({ data: z.array(View.partial()), total: z.int() })
const Calls = z.array(z.object({ method: z.string(), path: z.string() }))
const Held = z.object({
  data: z.array(z.looseObject({ id: z.string(), mp_uuid: z.string(), status: z.string() })),
  total: z.int(),
})

/** A request of so many rows, of which the backend refuses the last few. */
export const request = (rows: number, bad = 0, more: Record<string, unknown> = {}) => ({
  external_reference: 'November salaries',
  payments: Array.from({ length: rows }, (_, i) => ({
    reference: `row ${i + 1}`,
    beneficiary: `Person ${i + 1}`,
    iban: i < rows - bad ? GOOD : BAD,
    amount: `${10 + i}.50`,
    currency: 'EUR',
  })),
  ...more,
})

/** A backend of our own; `answering` is told of each act before its answer leaves. */
export async function openBank(answering: (path: string) => Promise<void> | void = () => {}) {
  const own = new Hono()
    .use(async (c, next) => {
      await next()
      if (c.req.method === 'POST') await answering(c.req.path)
    })
    .route('/', openBackend(':memory:'))
  const standIn = await openStandIn(own, 0)
  const ask = (path: string, method = 'GET', body?: unknown) =>
    fetch(`${standIn.url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    url: standIn.url,
    ask,
    script: (...mishaps: readonly unknown[]) => ask('/stand-in/script', 'PUT', mishaps),
    calls: async (method: string) =>
      Calls.parse(await (await ask('/stand-in/calls')).json()).filter(
        (call) => call.method === method,
      ),
    /** All that it holds for a client under an id, or under any. */
    held: async (id?: string, client = '') => {
      const filter = id === undefined ? '' : `&mp_uuid=${id}`
      const answer = await ask(`/mass-payments?client_id=${client}&page_size=1000${filter}`)
      return Held.parse(await answer.json()).data
    },
    /** One of somebody else’s making under an id. */
    add: (mp_uuid: string) =>
      ask('/mass-payments', 'POST', { mp_uuid, client_id: '', ...request(1) }),
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  }
}
export type Bank = Awaited<ReturnType<typeof openBank>>

type Open = Parameters<Parameters<typeof onEachStore>[0]>[0]

/** The system before a bank of its own; a worker works unless said otherwise. */
export async function stand(open: Open, { idle = false, bank: given = openBank() } = {}) {
  const bank = await given
  const system = await open(() => paymentsApp(bank.url))
  const worker = idle ? undefined : await system.work()
  return {
    /** From here on nobody works. */
    rest: async () => void (await worker?.stop()),
    ...desk(system),
    system,
    bank,
    async [Symbol.asyncDispose]() {
      await worker?.stop()
      await system[Symbol.asyncDispose]()
      await bank[Symbol.asyncDispose]()
    },
  }
}

/** What users do, by the routes of the system. */
function desk({ ask, post, json }: System) {
  const at = '/payments/mass-payments'
  const view = async (id: string) => View.parse(await json(`${at}/${id}`))
  return {
    ask: (path: string, init?: RequestInit) => ask(`${at}${path}`, init),
    submit: (body: unknown, headers?: Record<string, string>) => post(at, body, headers),
    submitted: async (body: unknown, headers?: Record<string, string>) =>
      z.object({ id: z.uuid() }).parse(await (await post(at, body, headers)).json()).id,
    confirm: (id: string, headers: Record<string, string> = {}) =>
      ask(`${at}/${id}/confirm`, { method: 'POST', headers }),
    cancel: (id: string) => ask(`${at}/${id}/cancel`, { method: 'POST' }),
    view,
    list: async (query: string) => {
      const { data, total } = List.parse(await json(`${at}${query}`))
      return { ids: data.map(({ id }) => id ?? ''), total }
    },
    /** The view once it has this status. */
    becomes: (id: string, status: string) =>
      until(async () => {
        const seen = await view(id)
        return seen.status === status ? seen : undefined
      }, `${id} did not become ${status}`),
  }
}
