/**
 * An abort signal that fires when this process should stop: at SIGTERM, at SIGINT, or when the
 * manager that started it is gone. A second request ends the process at once.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  const ask = () => {
    if (stop.signal.aborted) process.exit(1)
    stop.abort()
  }
  process.on('SIGTERM', ask).on('SIGINT', ask)
  process.once('disconnect', () => stop.abort())
  return stop.signal
}

/** Resolves when the abort signal fires. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
