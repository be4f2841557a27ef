import type { Millis } from '../base/time.ts'

/** How a worker works. Every default is a setting, so tests compress time by settings alone. */
export type WorkerSettings = {
  /** Served in this order, the first emptied before the second is looked at; none named: every queue. */
  queues: readonly string[]
  concurrency: number
  leaseMs: Millis
  renewMs: Millis
  /** How often it looks for dead workers and for what is kept too long, ± 25 %. */
  sweepMs: Millis
  /** How long it rests at most without being woken. */
  pollMs: Millis
  /** How long running handlers may go on after a stop. */
  graceMs: Millis
  /** How long a handler may go on after its cancel was asked; then it is stopped by force. */
  cancelGraceMs: Millis
  /** How long entries of the audit log are kept. */
  auditKeepMs: Millis
}

export const WORKER_DEFAULTS: WorkerSettings = {
  queues: [],
  concurrency: 10,
  leaseMs: 15_000,
  renewMs: 5000,
  sweepMs: 2000,
  pollMs: 1000,
  graceMs: 25_000,
  cancelGraceMs: 1000,
  auditKeepMs: 7_776_000_000,
}
