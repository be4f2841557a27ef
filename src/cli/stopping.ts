/** Nobody waits for this process any more, and another may take its place at once: it has no time. */
export const ORPHANED = 'the manager is gone'

/** Signals that follow within this span are the same request. */
const SAME_MS = 1000

/**
 * An abort signal that fires when this process should stop: at SIGTERM or SIGINT. A second request ends
 * the process at once.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  let askedAt = Infinity
  const ask = () => {
    // A supervisor may ask every process, and the manager passes it on: that is one request, not two.
    if (performance.now() - askedAt > SAME_MS) process.exit(1)
    askedAt = Math.min(askedAt, performance.now())
    stop.abort()
  }
  process.on('SIGTERM', ask).on('SIGINT', ask)
  return stop.signal
}

/** Resolves when the abort signal fires. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
