import { FatalError } from 'errand'
import { z } from 'zod'
import { readRetryAfter } from '../common/retry-after.ts'
import type { MassPaymentRequest } from './contract.ts'
import { alone, MassPayment, see, type Seen, TWO } from './mass-payment.ts'

const Page = z.object({ data: z.array(z.looseObject({})), total: z.int() })
const Rows = z.object({ data: z.array(z.record(z.string(), z.unknown())), total: z.int() })
const Complaint = z.object({ error: z.object({ message: z.string() }) })

/** It did not do what was asked, or it is not known whether it did: worth another attempt, after a look. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  /** It has done with the request: what it did is there to be seen. */
  readonly isRefusal: boolean
  /** How long it asked to be left alone. */
  readonly waitMs: number | undefined

  constructor(
    message: string,
    { isRefusal = false, waitMs, ...options }: ErrorOptions & Refused = {},
  ) {
    super(message, options)
    this.isRefusal = isRefusal
    this.waitMs = waitMs
  }
}

/** It answered, but not what was asked. */
export class OddAnswer extends BackendError {
  constructor() {
    super('the backend answered oddly')
  }
}

type Refused = { isRefusal?: boolean; waitMs?: number | undefined }

/** Whether no request is on its way any more; after a time-out, a lost reply or somebody else's 5xx nobody knows. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof FatalError || (error instanceof BackendError && error.isRefusal)

type Which = { client: string; id: string }
type Paging = { page: number; page_size: number }
export type Search = Paging & { client: string; external_reference?: string; mp_uuid?: string }

/** Nothing was done, for it was too early or too much: another attempt may be answered otherwise. */
const PASSING = [425, 429]
/** Somebody may be at it. */
const UNSURE = [408, 409]

/** The backend over HTTP. Nothing here repeats a call. */
export class Backend {
  readonly #url: string
  readonly #timeoutMs: number

  constructor(url: string, timeoutMs: number) {
    this.#url = url.replace(/\/$/, '')
    this.#timeoutMs = timeoutMs
  }

  /** The mass payment of this MP-UUID, for those who act on it. */
  async find(which: Which, signal?: AbortSignal): Promise<MassPayment | undefined> {
    const seen = await this.see(which, signal)
    if (seen?.status !== 'unknown') return seen
    throw seen.doubt === TWO ? new FatalError(TWO) : new OddAnswer()
  }

  /** The mass payment of this MP-UUID, for those who look. */
  async see({ client, id }: Which, signal?: AbortSignal): Promise<Seen | undefined> {
    const search = { client, mp_uuid: id, page: 1, page_size: 2 }
    const { data } = await this.list(search, signal)
    // One that does not search by MP-UUID answers with whatever it has: neither there nor absent.
    if (data.some((one) => !isSame(one.mp_uuid, id))) throw new OddAnswer()
    return data[0]
  }

  /** A page, the newest first. What is odd about one of them is told of that one alone. */
  async list({ client, ...search }: Search, signal?: AbortSignal) {
    const query = new URLSearchParams({ client_id: client })
    for (const [name, value] of Object.entries(search)) query.set(name, `${value}`)
    const answer = await this.#call('GET', `/mass-payments?${query.toString()}`, { signal })
    const { data, total } = fit(Page, answer)
    return { data: alone(data.map(see)), total }
  }

  async create({ client, id }: Which, request: MassPaymentRequest, signal?: AbortSignal) {
    const { external_reference, payments } = request
    const body = { mp_uuid: id, client_id: client, external_reference, payments }
    const answer = await this.#call('POST', '/mass-payments', { body, signal, key: id })
    return about(id, fit(MassPayment, answer), 'mp_uuid')
  }

  confirm(id: string, signal?: AbortSignal): Promise<MassPayment> {
    return this.#act(id, 'confirm', signal)
  }

  /** To cancel what is cancelled changes nothing. */
  cancel(id: string, signal?: AbortSignal): Promise<MassPayment> {
    return this.#act(id, 'cancel', signal)
  }

  /** The rows it took, or what was wrong with the others. */
  async rows(id: string, what: 'payments' | 'errors', { page, page_size }: Paging) {
    const path = `/mass-payments/${encodeURIComponent(id)}/${what}`
    return fit(Rows, await this.#call('GET', `${path}?page=${page}&page_size=${page_size}`))
  }

  async #act(id: string, act: 'confirm' | 'cancel', signal?: AbortSignal): Promise<MassPayment> {
    const path = `/mass-payments/${encodeURIComponent(id)}/${act}`
    const answer = await this.#call('POST', path, { signal, key: `${act} ${id}` })
    return about(id, fit(MassPayment, answer), 'id')
  }

  async #call(
    method: string,
    path: string,
    { body, signal, key }: { body?: unknown; signal?: AbortSignal | undefined; key?: string } = {},
  ): Promise<unknown> {
    const limit = AbortSignal.timeout(this.#timeoutMs)
    const { status, text, isJson, waitMs } = await this.#fetch(path, {
      method,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        // For a backend that knows keys; this one need not.
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (status < 300) return read(text)
    const message = messageIn(text) ?? 'gives no reason'
    const isPassing = PASSING.includes(status)
    if (status < 400) throw new BackendError(`the backend leads elsewhere (${status})`)
    if (status < 500 && !isPassing && !UNSURE.includes(status))
      throw new FatalError(`the backend refused it (${status}): ${message}`)
    // In its own words, or too busy to begin: it has done with that request. Who stands between may not know.
    const isDone = messageIn(text) !== undefined || (status === 503 && isJson)
    const isRefused = isPassing || (status >= 500 && isDone)
    const said = `the backend answered ${status}: ${message}`
    throw new BackendError(said, { isRefusal: isRefused, waitMs })
  }

  async #fetch(path: string, init: RequestInit) {
    try {
      // Whoever stands between may lead elsewhere: a payment follows nobody.
      const answer = await fetch(`${this.#url}${path}`, { ...init, redirect: 'manual' })
      const isJson = answer.headers.get('content-type')?.includes('json') ?? false
      const waitMs = readRetryAfter(answer.headers)
      return { status: answer.status, text: await answer.text(), isJson, waitMs }
    } catch (cause) {
      throw new BackendError('the backend did not answer', { cause })
    }
  }
}

const isSame = (one = '', other = ''): boolean => one.toLowerCase() === other.toLowerCase()

function about(id: string, payment: MassPayment, by: 'id' | 'mp_uuid'): MassPayment {
  if (isSame(payment[by], id)) return payment
  throw new OddAnswer()
}

function fit<Of extends z.ZodType>(schema: Of, answer: unknown): z.output<Of> {
  const { success, data } = schema.safeParse(answer)
  if (success) return data
  throw new OddAnswer()
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new OddAnswer()
  }
}

function messageIn(text: string): string | undefined {
  try {
    return Complaint.safeParse(JSON.parse(text)).data?.error.message.slice(0, 500)
  } catch {
    return undefined
  }
}
