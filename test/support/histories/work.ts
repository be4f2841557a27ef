import * as fc from 'fast-check'
import type { WorkerId } from '../../../src/job/job.ts'
import type { Claim, Exchanged, Settlement } from '../../../src/store/contract.ts'
import type { Held } from '../hand.ts'
import * as draw from './draw.ts'
import type { Stage } from './stage.ts'
import { step, withHook } from './step.ts'

type Drawn<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never
type Target = Drawn<typeof draw.notes>[number]['target']

/** What a worker speaks of: nothing, when it should hold a job of its own and has none. */
function heldAt(stage: Stage, worker: WorkerId, { whose, nth, off }: Target): Held[] {
  const own = stage.model.ledger.heldBy(worker).map(({ given: { id }, fence }) => ({ id, fence }))
  const pool = whose === 'own' ? own : stage.handed
  const held = pool.at(-1 - (nth % (pool.length || 1)))
  return held ? [{ id: held.id, fence: Math.max(1, held.fence + off) }] : []
}

const numberAt = (stage: Stage, worker: WorkerId, number: number) =>
  Math.max(1, (stage.model.ledger.workers.get(worker)?.newest ?? 0) + number)

/** What an exchange or a sweep handed over is remembered, for late calls. */
function remember(stage: Stage, worker: WorkerId, exchanged: Exchanged): void {
  if ('refused' in exchanged) return
  for (const { id, fence } of exchanged.jobs) stage.handed.push({ id, fence, worker })
}

async function exchange(
  stage: Stage,
  worker: WorkerId,
  n: number,
  settlements: readonly Settlement[],
  claim: Claim,
): Promise<void> {
  stage.sent.set(worker, { n, settlements, claim })
  const exchanged = await stage.both(
    'exchange',
    [worker, n, settlements, claim],
    stage.store.exchange(worker, n, settlements, claim),
    (answer) => {
      const queues = 'refused' in answer ? [] : answer.jobs.map(({ queue }) => queue)
      return stage.model.exchange(worker, n, settlements, claim, queues)
    },
  )
  remember(stage, worker, exchanged)
}

/** Moments are drawn as spans from the call. */
function atItsTime(stage: Stage, outcome: Drawn<typeof draw.settlements>[number]['outcome']) {
  if (!('wakeIn' in outcome)) return outcome
  const { wakeIn, ...rest } = outcome
  return wakeIn === undefined ? rest : { ...rest, wakeAt: stage.clock.now() + wakeIn }
}

export const settleAndClaim = step(
  'exchange',
  fc.record({
    slot: draw.slot,
    number: draw.number,
    settlements: draw.settlements,
    claim: draw.claim,
  }),
  (stage, { slot, number, settlements, claim }) => {
    const worker = stage.worker(slot)
    const said = settlements.flatMap(({ target, outcome, ...drawn }) =>
      heldAt(stage, worker, target).map((held) => ({
        ...held,
        outcome: withHook(
          stage,
          held.id,
          atItsTime(stage, outcome),
          'hook' in drawn ? drawn.hook : undefined,
        ),
      })),
    )
    return exchange(stage, worker, numberAt(stage, worker, number), said, claim)
  },
)

/** As after a lost reply: the same number, the same settlements. */
export const resend = step('exchange again', draw.slot, async (stage, slot) => {
  const worker = stage.worker(slot)
  const sent = stage.sent.get(worker)
  if (sent) await exchange(stage, worker, sent.n, sent.settlements, sent.claim)
})

export const sweep = step(
  'sweep',
  fc.record({ slot: draw.slot, number: draw.number, limit: draw.few }),
  async (stage, { slot, number, limit }) => {
    const worker = stage.worker(slot)
    const n = numberAt(stage, worker, number)
    const taking = stage.store.sweep(worker, n, limit)
    const exchanged = await stage.both('sweep', [worker, n, limit], taking, (answer) => {
      const taken = 'refused' in answer ? [] : answer.jobs.map(({ id }) => id)
      return stage.model.sweep(worker, n, limit, taken)
    })
    remember(stage, worker, exchanged)
  },
)

export const note = step(
  'note',
  fc.record({ slot: draw.slot, notes: draw.notes }),
  (stage, { slot, notes }) => {
    const worker = stage.worker(slot)
    const said = notes.flatMap(({ target, ...note }) =>
      heldAt(stage, worker, target).map((held) => ({ ...held, ...note })),
    )
    return stage.both('note', [worker, said], stage.store.note(worker, said), () =>
      stage.model.note(worker, said),
    )
  },
)
