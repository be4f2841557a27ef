import type { Millis } from '../../base/time.ts'
import type { Take } from '../../job/rate.ts'

/** A limit that nobody used for so long and its span is forgotten. */
export const UNUSED_MS: Millis = 86_400_000

/** Of one limit, who comes after one that has to wait waits too: one that wants many at once is not overtaken. */
export function inOrder(takes: readonly Take[], ask: (take: Take) => Millis): Millis[] {
  const waiting = new Map<string, Millis>()
  return takes.map((take) => {
    const waitMs = waiting.get(take.limit) ?? ask(take)
    if (waitMs > 0) waiting.set(take.limit, waitMs)
    return waitMs
  })
}
