import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../src/store/contract.ts'
import { HandClock } from '../support/clock.ts'
import { account } from './clauses/account.ts'
import { ahead } from './clauses/ahead.ts'
import { adopt } from './clauses/adopt.ts'
import { audit } from './clauses/audit.ts'
import { artifact } from './clauses/artifact.ts'
import { attempt } from './clauses/attempt.ts'
import { batches } from './clauses/batch.ts'
import { batchAgain } from './clauses/batch-again.ts'
import { batchEnds, batchStops } from './clauses/batch-end.ts'
import { batchMoves } from './clauses/batch-move.ts'
import { cancel } from './clauses/cancel.ts'
import { children } from './clauses/child.ts'
import { claim } from './clauses/claim.ts'
import { copy } from './clauses/copy.ts'
import { drop } from './clauses/drop.ts'
import { due } from './clauses/due.ts'
import { entries } from './clauses/entry.ts'
import { erase } from './clauses/erase.ts'
import { exchange } from './clauses/exchange.ts'
import { fair } from './clauses/fair.ts'
import { fence } from './clauses/fence.ts'
import { hook } from './clauses/hook.ts'
import { insert } from './clauses/insert.ts'
import { heldJobs } from './clauses/held.ts'
import { limits } from './clauses/limit.ts'
import { list } from './clauses/list.ts'
import { mail } from './clauses/mail.ts'
import { listen } from './clauses/listen.ts'
import { note } from './clauses/note.ts'
import { order } from './clauses/order.ts'
import { pause } from './clauses/pause.ts'
import { purge } from './clauses/purge.ts'
import { renew } from './clauses/renew.ts'
import { retry } from './clauses/retry.ts'
import { settle } from './clauses/settle.ts'
import { steps } from './clauses/step.ts'
import { sweep } from './clauses/sweep.ts'
import { takes } from './clauses/take.ts'
import { tally } from './clauses/tally.ts'
import { unique } from './clauses/unique.ts'
import { unpark } from './clauses/unpark.ts'
import { wait } from './clauses/wait.ts'
import { worker } from './clauses/worker.ts'

export type Clauses = Record<
  `C${number} ${string}`,
  (store: Store, clock: HandClock) => Promise<void>
>

const ALL: readonly Clauses[] = [
  insert,
  unique,
  claim,
  exchange,
  order,
  fair,
  ahead,
  due,
  settle,
  fence,
  attempt,
  sweep,
  renew,
  worker,
  note,
  steps,
  mail,
  wait,
  children,
  batches,
  batchEnds,
  batchStops,
  heldJobs,
  limits,
  batchAgain,
  batchMoves,
  takes,
  cancel,
  hook,
  retry,
  unpark,
  artifact,
  purge,
  drop,
  erase,
  list,
  tally,
  listen,
  copy,
  adopt,
  audit,
  account,
  entries,
  pause,
]

const TIMEOUT_MS = 20_000

/**
 * Holds one store to every clause of the contract. Each clause gets a fresh store and a hand clock,
 * and leaves a store behind that does not contradict itself.
 */
export function conform(name: string, open: (clock: HandClock) => Promise<Store>): void {
  describe(`${name} keeps the contract`, () => {
    for (const [clause, check] of ALL.flatMap((clauses) => Object.entries(clauses))) {
      test(clause, { timeout: TIMEOUT_MS }, async () => {
        const clock = new HandClock()
        await using store = await open(clock)
        await check(store, clock)
        assert.deepEqual(await store.verify(), [])
      })
    }
  })
}
