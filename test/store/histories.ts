import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Store } from '../../src/store/contract.ts'
import { HandClock } from '../support/clock.ts'
import * as around from '../support/histories/around.ts'
import { Stage } from '../support/histories/stage.ts'
import * as batches from '../support/histories/batches.ts'
import type { Step } from '../support/histories/step.ts'
import * as work from '../support/histories/work.ts'

/** Whichever comes first. */
const RUNS = 1000
const LIMIT_MS = 15_000
const [STEPS_MIN, STEPS_MAX] = [20, 100]

/** What happens, and how often against the rest. */
const STEP = fc.oneof(
  { weight: 16, arbitrary: work.settleAndClaim },
  { weight: 6, arbitrary: around.insert },
  { weight: 2, arbitrary: work.resend },
  { weight: 2, arbitrary: work.note },
  { weight: 3, arbitrary: work.sweep },
  { weight: 1, arbitrary: around.outlive },
  { weight: 3, arbitrary: around.pass },
  { weight: 1, arbitrary: around.turnBack },
  { weight: 2, arbitrary: around.renew },
  { weight: 1, arbitrary: around.retire },
  { weight: 4, arbitrary: around.register },
  { weight: 2, arbitrary: around.cancel },
  { weight: 2, arbitrary: around.retry },
  { weight: 1, arbitrary: around.erase },
  { weight: 1, arbitrary: around.unpark },
  { weight: 3, arbitrary: around.post },
  { weight: 3, arbitrary: around.purge },
  { weight: 2, arbitrary: batches.open },
  { weight: 5, arbitrary: batches.fill },
  { weight: 3, arbitrary: batches.close },
  { weight: 1, arbitrary: batches.stop },
  { weight: 1, arbitrary: batches.stopIdle },
  { weight: 2, arbitrary: around.put },
  { weight: 1, arbitrary: around.holder },
  { weight: 1, arbitrary: around.look },
)

/**
 * Plays random histories on a store and on the model beside it: every answer must be the same, and in
 * the end all that can be seen. One that fails is shortened and told, with the seed that brings it again.
 */
export function histories(name: string, open: (clock: HandClock) => Promise<Store>): void {
  const failureOf = async (steps: readonly Step[]): Promise<string | undefined> => {
    const clock = new HandClock()
    await using store = await open(clock)
    return await play(steps, new Stage(store, clock))
  }

  test(`${name} answers every history as the model does`, async () => {
    const history = fc.array(STEP, { minLength: STEPS_MIN, maxLength: STEPS_MAX, size: 'max' })
    const patience = performance.now() + LIMIT_MS
    const holds = fc.asyncProperty(
      history,
      async (steps) => performance.now() > patience || !(await failureOf(steps)),
    )
    const { failed, counterexample, seed } = await fc.check(holds, {
      numRuns: RUNS,
      unbiased: true,
    })
    if (!failed) return
    const shortest = await shorten(counterexample?.[0] ?? [], failureOf)
    const told = shortest.map((step) => `  ${step.toString()}`).join('\n')
    assert.fail(`seed ${seed}\n\nIt was drawn:\n${told}\n\n${await failureOf(shortest)}`)
  })
}

/** What went wrong, and the calls that led to it. */
async function play(steps: readonly Step[], stage: Stage): Promise<string | undefined> {
  try {
    for (const slot of [0, 1, 2]) await stage.register(slot)
    for (const step of steps) await step.play(stage)
    await stage.compare()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return `It was called:\n${stage.history}\n\n${why}`
  }
}

/** A history from which nothing can be left out. */
async function shorten(
  steps: readonly Step[],
  failureOf: (steps: readonly Step[]) => Promise<string | undefined>,
): Promise<readonly Step[]> {
  for (const count of [8, 4, 2, 1])
    for (let i = 0; i + count <= steps.length; i++) {
      const shorter = steps.toSpliced(i, count)
      if (await failureOf(shorter)) return shorten(shorter, failureOf)
    }
  return steps
}
