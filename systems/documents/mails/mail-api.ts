import { z } from 'zod'
import { readRetryAfter } from '../../common/retry-after.ts'

export type Mail = { to: string; subject: string; text: string }

/** The address, or the mail, will never do. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
}

/** Too many calls: none for so long. */
export class MailBusy extends Error {
  override readonly name = 'MailBusy'
  readonly ms: number

  constructor(ms: number) {
    super('the mail API asks for a pause')
    this.ms = ms
  }
}

const Sent = z.object({ id: z.string() })
const Refused = z.object({ error: z.string() }).catch({ error: 'refused' })
const PAUSE_MS = 30_000

/** The mail API over HTTP. A mail that is sent again under its key is sent once. */
export class MailApi {
  readonly #url: string
  readonly #key: string | undefined
  readonly #timeoutMs: number

  /** `timeoutMs`: how long an answer is waited for. */
  constructor(url: string, { key, timeoutMs = 10_000 }: { key?: string; timeoutMs?: number } = {}) {
    this.#url = url
    this.#key = key
    this.#timeoutMs = timeoutMs
  }

  /** @throws MailRefused, MailBusy, and what `fetch` throws */
  async send(mail: Mail, key: string, signal: AbortSignal): Promise<string> {
    const answer = await fetch(`${this.#url}/mails`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(this.#key !== undefined && { authorization: `Bearer ${this.#key}` }),
      },
      body: JSON.stringify(mail),
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
      // Followed, it would be a request for a page, or a mail told to somebody else.
      redirect: 'manual',
    })
    if (answer.ok) return Sent.parse(await answer.json()).id
    if (answer.status === 422) throw new MailRefused(Refused.parse(await answer.json()).error)
    await answer.body?.cancel()
    if (answer.status === 429) throw new MailBusy(readRetryAfter(answer.headers) || PAUSE_MS)
    throw new Error(`the mail API answered ${answer.status}`)
  }
}
