import type * as fc from 'fast-check'
import type { JobId, NewJob } from '../../../src/job/job.ts'
import type { Cancelling, Outcome } from '../../../src/job/outcome.ts'
import { written } from './plain.ts'
import type { Stage } from './stage.ts'

/** One line of a history: told without a store, played on a stage. */
export type Step = { play(stage: Stage): Promise<unknown>; toString(): string }

export const step = <Drawn>(
  name: string,
  drawn: fc.Arbitrary<Drawn>,
  play: (stage: Stage, drawn: Drawn) => Promise<unknown>,
): fc.Arbitrary<Step> =>
  drawn.map((some) => ({
    play: (stage) => play(stage, some),
    toString: () => `${name} ${written(some, 0)}`,
  }))

type Hook = Omit<NewJob, 'subject'>

/** An ending with the hook that was drawn for it; no two endings have the same. */
export function withHook<Ending extends Outcome | Cancelling>(
  stage: Stage,
  subject: JobId,
  outcome: Ending,
  hook: Hook | undefined,
): Ending {
  if (!hook || !('keepMs' in outcome) || !stage.hooks.delete(hook.id)) return outcome
  return { ...outcome, hook: { ...hook, subject } }
}
