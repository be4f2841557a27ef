import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Millis, Span } from '../base/time.ts'
import { ErrandError } from '../job/errors.ts'
import type { JobId } from '../job/job.ts'
import { readSpan } from '../job/options.ts'

const LIFE_MAX_MS = 7 * 86_400_000

/** Signed links to artifacts: whoever holds one may download that file until it expires. */
export class Links {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** The path and query of a link that works for this span, 15 minutes unless said, 7 days at most. */
  sign(id: JobId, file: string, life: Span = '15m'): string {
    const until = Math.floor((Date.now() + readSpan('life', life, { max: LIFE_MAX_MS })) / 1000)
    const query = new URLSearchParams({
      expires: `${until}`,
      signature: this.#mac(id, file, until),
    })
    return `/v1/jobs/${id}/artifacts/${encodeURIComponent(file)}?${query.toString()}`
  }

  /** @throws ErrandError LINK_INVALID, LINK_EXPIRED (told only to who holds a true signature) */
  check(id: JobId, file: string, query: URLSearchParams, now: Millis = Date.now()): void {
    const until = Number(query.get('expires'))
    const given = Buffer.from(query.get('signature') ?? '')
    const right = Buffer.from(this.#mac(id, file, until))
    const spare = [...query.keys()].length !== 2
    if (spare || given.length !== right.length || !timingSafeEqual(given, right))
      throw new ErrandError('LINK_INVALID', {})
    if (now > until * 1000) throw new ErrandError('LINK_EXPIRED', {})
  }

  #mac(id: JobId, file: string, until: number): string {
    return createHmac('sha256', this.#key)
      .update(`GET\n${id}\n${file}\n${until}`)
      .digest('base64url')
  }
}
