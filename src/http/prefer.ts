import type { Context } from 'hono'
import type { Env } from './app.ts'
import type { ServerSettings } from './parts.ts'

const WAIT_MAX_S = 55
const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i

/** Seconds a request prefers to wait (RFC 7240), 55 at most; what is not understood is ignored. */
export function readWait(prefer: string | undefined): number | undefined {
  const seconds = WAIT.exec(prefer ?? '')?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds), WAIT_MAX_S)
}

/** Aborts when nobody waits for the answer any more, or nobody may be kept waiting. */
export const whileAwaited = (c: Context<Env>, { draining }: ServerSettings): AbortSignal =>
  AbortSignal.any([c.req.raw.signal, ...(draining ? [draining] : [])])
