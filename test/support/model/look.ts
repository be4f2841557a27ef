import { type State, STATES } from '../../../src/job/state.ts'
import type { WorkerRow } from '../../../src/store/contract.ts'
import type { Ledger } from './ledger.ts'
import { mayLeave } from './limits.ts'

/** How long a worker that went away is shown. */
const SHOWN_MS = 3_600_000

/** What lies in each queue, counted anew. */
export const tally = (ledger: Ledger) =>
  [...ledger.queues].map(([queue, counts]) => {
    const lying = (state: State) => ledger.in(state).filter(({ given }) => given.queue === queue)
    // Whoever is held is in no line of its queue.
    const ready = lying('ready')
      .filter(mayLeave)
      .map(({ runAt }) => runAt)
    return {
      queue,
      ...counts,
      ...Object.fromEntries(STATES.map((state) => [state, lying(state).length])),
      oldestReadyAt: ready.length > 0 ? Math.min(...ready) : undefined,
    }
  })

export const workers = (ledger: Ledger): WorkerRow[] =>
  [...ledger.workers.values()]
    .filter(({ goneAt = Infinity }) => goneAt > ledger.now - SHOWN_MS)
    .map(({ id, info, registeredAt, leaseUntil, goneAt }) => ({
      id,
      info,
      registeredAt,
      leaseUntil,
      alive: goneAt === undefined && leaseUntil > ledger.now,
      running: ledger.heldBy(id).length,
    }))
