import { setTimeout as sleep } from 'node:timers/promises'
import type { Code, ErrandError } from '../job/errors.ts'
import { isErrand } from './fault.ts'

/** What passes by itself, or once somebody has looked after the store. */
const PASSING: readonly Code[] = ['STORE_UNREACHABLE', 'STORE_BUSY', 'STORE_FULL', 'STORE_FAILED']

type Waiting = { signal: AbortSignal; tell: (error: ErrandError, delayMs: number) => void }

/** Back-off of everything that is tried again here: 0.5 s, doubling to 30 s. */
export const backOffMs = (failures: number): number => Math.min(500 * 2 ** failures, 30_000)

/**
 * What the store gives, however long it takes to come up; undefined when it was told to stop
 * before. Errors that waiting cannot mend are thrown.
 */
export async function reach<T>(
  open: () => Promise<T>,
  { signal, tell }: Waiting,
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await open()
    } catch (error) {
      if (!(isErrand(error) && PASSING.includes(error.code))) throw error
      tell(error, backOffMs(failures))
      await sleep(backOffMs(failures), undefined, { signal }).catch(() => {})
    }
  }
  return undefined
}
