import { setTimeout } from 'node:timers/promises'
import { hasCode } from 'errand'

const IN_DOUBT = ['STORE_UNREACHABLE', 'STORE_FAILED'] as const
const LOOK_AGAIN_MS = 60_000
const LOOKS = 60

/**
 * Removes what was laid down for a job that was not taken in. A store that did not answer may have taken it in all the
 * same, and later than anybody can see: then it is looked for after a while, and only what is nobody's goes.
 */
export function unlessTaken(
  error: unknown,
  isTaken: () => Promise<boolean>,
  remove: () => void,
  pause: () => Promise<unknown> = () => setTimeout(LOOK_AGAIN_MS, undefined, { ref: false }),
): void {
  if (!IN_DOUBT.some((code) => hasCode(error, code))) return remove()
  void look(isTaken, remove, pause)
}

/** A process that ends before leaves it to the clean-up. */
async function look(
  isTaken: () => Promise<boolean>,
  remove: () => void,
  pause: () => Promise<unknown>,
): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    // oxlint-disable no-await-in-loop
    await pause()
    const known = await isTaken().catch(() => undefined)
    // oxlint-enable no-await-in-loop
    if (known === false) return remove()
    if (known) return
  }
}
