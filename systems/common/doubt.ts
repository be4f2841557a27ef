import { setTimeout } from 'node:timers/promises'
import { hasCode } from 'errand'

/** After the last of them a part of a batch may be in. */
const IN_DOUBT = ['STORE_UNREACHABLE', 'STORE_FAILED', 'STORE_BUSY'] as const
const LOOK_AGAIN_MS = 60_000
const LOOKS = 60

/**
 * Removes what was laid down for a job that was not taken in, or for a batch of which nothing was. A store that did not
 * answer may have taken it in all the same, and later than anybody can see: then it is looked for after a while, and only
 * what is nobody's goes.
 */
export async function unlessTaken(
  error: unknown,
  isTaken: () => Promise<boolean>,
  remove: () => unknown,
  pause: () => Promise<unknown> = () => setTimeout(LOOK_AGAIN_MS, undefined, { ref: false }),
): Promise<void> {
  const isInDoubt = IN_DOUBT.some((code) => hasCode(error, code))
  const known = isInDoubt ? undefined : await ask(isTaken, false)
  if (known === false) await remove()
  if (known === undefined) void look(isTaken, remove, pause)
}

async function ask<Unknown>(isTaken: () => Promise<boolean>, unknown: Unknown) {
  try {
    return await isTaken()
  } catch {
    return unknown
  }
}

/** A process that ends before leaves it to the clean-up. */
async function look(
  isTaken: () => Promise<boolean>,
  remove: () => unknown,
  pause: () => Promise<unknown>,
): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    // oxlint-disable no-await-in-loop
    await pause()
    const known = await ask(isTaken, undefined)
    // oxlint-enable no-await-in-loop
    if (known === false) await remove()
    if (known !== undefined) return
  }
}
