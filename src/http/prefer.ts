const WAIT_MAX_S = 55
const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i

/** Seconds a request prefers to wait (RFC 7240), 55 at most; what is not understood is ignored. */
export function readWait(prefer: string | undefined): number | undefined {
  const seconds = WAIT.exec(prefer ?? '')?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds), WAIT_MAX_S)
}
