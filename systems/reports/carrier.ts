import { readRetryAfter } from '../common/retry-after.ts'

/** Whoever brings messages to people, as HTTP: `POST /messages { to, template }` under an `Idempotency-Key`. */
export class Carrier {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** `failed` when the carrier will never deliver it. An error here names no recipient. */
  async deliver(
    message: { to: string; template: string },
    { key, signal }: { key: string; signal: AbortSignal },
  ): Promise<'delivered' | 'failed'> {
    const answer = await fetch(`${this.#url}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(message),
      signal,
      // Followed, it would be a request for a page, or a recipient told to somebody else.
      redirect: 'manual',
    })
    await answer.body?.cancel()
    if (answer.ok) return 'delivered'
    if (answer.status === 422) return 'failed'
    throw new CarrierError(answer.status, readRetryAfter(answer.headers))
  }
}

export class CarrierError extends Error {
  readonly code: string
  /** How long it asked to be left alone. */
  readonly waitMs: number | undefined
  override readonly name = 'CarrierError'

  constructor(status: number, waitMs: number | undefined) {
    super(`the carrier answered ${status}`)
    this.waitMs = waitMs
    this.code = `CARRIER_${status}`
  }
}
