import type { Ending } from './judge.ts'
import type { KindName } from './kinds.ts'
import type { Ledger } from './ledger.ts'

/** What is done to a system, in the words of its own processes. */
export type Fault = 'executor' | 'worker' | 'manager' | 'api' | 'freeze' | 'sigterm' | 'store'

export type Submission = { key: string; kind: KindName; input: object; unique?: string }

/** What a run needs of Errand or of another system, so that both meet the same load and the same faults. */
export interface System extends AsyncDisposable {
  readonly name: string
  /** Shown beside the figures: version, store, durability, settings. */
  readonly about: Readonly<Record<string, string>>
  /** Kinds it has no word for are left out of its load. */
  readonly kinds: readonly KindName[]
  start(): Promise<void>
  /** Resolves with the job's id once it is accepted; throws what was not, or may not have been. */
  submit(submission: Submission): Promise<string>
  cancel(id: string): Promise<void>
  /** The processes that a fault may choose from; none, where the system has none of the kind. */
  targets(fault: Fault): number[]
  /** All processes that may run handlers below this one, itself included. */
  family(pid: number): number[]
  /** Starts what was killed and does not come back by itself. */
  restart(): void
  /** Jobs that have not ended. */
  live(): Promise<number>
  endings(): Promise<Map<string, Ending>>
  /** What the system says against itself; nothing where it cannot tell. */
  verify(): Promise<string[]>
}

export type Arena = { folder: string; ledger: Ledger; ledgerFile: string; leaseMs: number }
