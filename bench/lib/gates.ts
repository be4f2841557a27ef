import type { Measurement } from './report.ts'
import { median } from './statistics.ts'

/** A figure that must hold: one measurement, or one over another of the same run. */
export type Gate = {
  name: string
  of: string
  /** The ratio's denominator; without it the figure stands alone. */
  over?: string
  least?: number
  most?: number
}

export type Verdict = { gate: Gate; value: number; runs: readonly number[]; passed: boolean }

/** What measurements of one kind are known by. */
export const nameOf = ({ bench, what }: Measurement): string => `${bench}: ${what}`

/** The gates of the SQLite store. */
export const gatesFor = (fewest: number, most: number): Gate[] => [
  {
    name: '100 callers / raw insert',
    of: 'enqueue: 100 callers',
    over: 'raw: insert, 100 per transaction',
    least: 0.5,
  },
  {
    name: '1 caller / raw single insert',
    of: 'enqueue: 1 awaiting caller',
    over: 'raw: insert, 1 per transaction',
    least: 0.6,
  },
  {
    name: 'inline / raw claim and delete',
    of: 'process: worker, inline',
    over: 'raw: claim and delete, 100 per transaction',
    least: 0.45,
  },
  {
    name: 'executors / inline',
    of: 'process: worker, executors',
    over: 'process: worker, inline',
    least: 0.5,
  },
  { name: `${most} / ${fewest} waiting`, of: backlog(most), over: backlog(fewest), least: 0.85 },
  { name: 'pickup p50 in ms', of: 'pickup: idle, p50', most: 2 },
  { name: 'pickup p99 in ms', of: 'pickup: idle, p99', most: 10 },
]

const backlog = (waiting: number) => `backlog: claim and settle, ${waiting} waiting`

/** Compares run by run, so that a slow minute of the machine weighs on both sides. */
export function judge(gate: Gate, byName: ReadonlyMap<string, readonly number[]>): Verdict {
  const above = byName.get(gate.of) ?? []
  const below = gate.over === undefined ? undefined : (byName.get(gate.over) ?? [])
  const runs = above.map((value, i) => (below ? value / (below[i] ?? Number.NaN) : value))
  const value = median(runs)
  const passed = value >= (gate.least ?? -Infinity) && value <= (gate.most ?? Infinity)
  return { gate, value, runs, passed }
}
