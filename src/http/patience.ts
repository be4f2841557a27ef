import { ErrandError } from '../job/errors.ts'

/** Callers, and what stands between them and us, give up sooner or later: we speak first. */
const ANSWER_MS = 4000

/**
 * What the store answers in good time. What it is late with may have happened: a repeat under the same key
 * finds out.
 * @throws ErrandError STORE_BUSY
 */
export function soon<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new ErrandError('STORE_BUSY', { waitedMs: ANSWER_MS })),
    ANSWER_MS,
  )
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
