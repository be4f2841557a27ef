import { randomUUID } from 'node:crypto'
import type { Context } from 'errand'

type Effect<Seen> = {
  look: () => Promise<Seen | undefined>
  ask: () => Promise<Seen>
  /** Whether the other side has answered that it does nothing, so that no request is on its way any more. */
  isRefusal: (error: unknown) => boolean
  /** How long after it was asked the other side may still take in what it does not show yet. */
  settleMs: number
  /** Longer after it was written down nothing is asked any more: who runs may be a ghost that stood still. */
  freshMs: number
}

/**
 * Asks somebody for an effect that must not come twice, and who knows no keys to tell a repeated request by.
 *
 * It is looked for first. Then it is written down that it will be asked, which only the holder of the job can do, and
 * only then it is asked. So whoever runs after a death, a time-out or a lost reply knows that a request may be on its
 * way: it waits, without holding a place, until the other side shows what it took in or never will, and looks again.
 * A refusal is written down too: after one nothing need be waited for.
 */
export async function askOnce<Seen>(
  name: string,
  { step, sleep }: Pick<Context, 'step' | 'sleep'>,
  { look, ask, isRefusal, settleMs, freshMs }: Effect<Seen>,
): Promise<Seen> {
  const lookedAt = Date.now()
  const seen = await look()
  if (seen !== undefined) return seen
  const run = randomUUID()
  for (let round = 1; ; round++) {
    const asked = await step(`${name} ${round}`, () => ({ by: run, at: Date.now() }))
    if (asked.by === run) {
      if (Date.now() - asked.at > freshMs) throw new Error('this run stood still for too long')
      try {
        return await ask()
      } catch (error) {
        if (isRefusal(error)) await step(`${name} ${round} refused`, () => true)
        throw error
      }
    }
    if (await step(`${name} ${round} refused`, () => false)) continue
    const leftMs = asked.at + settleMs - lookedAt
    // The run after this sleep looks anew before it comes here.
    if (leftMs > 0) await sleep(`${name} ${round} settles`, leftMs)
  }
}
