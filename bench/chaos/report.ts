import { styleText } from 'node:util'
import { table } from '../lib/table.ts'
import type { Outcome } from './arena.ts'
import { LAWS, type Law } from './judge.ts'

/** A run passes when nothing was broken and nothing is left. */
export const isClean = ({ verdict, remaining, against }: Outcome): boolean =>
  remaining === 0 &&
  against.length === 0 &&
  Object.values(verdict.broken).every((one) => one.length === 0)

/** What people read: every count beside every other system's. */
export function render(outcomes: readonly Outcome[]): string {
  const row = (name: string, value: (outcome: Outcome) => string | number) => [
    name,
    ...outcomes.map((outcome) => `${value(outcome)}`),
  ]
  const laws = Object.keys(LAWS).filter((law): law is Law => law in LAWS)
  const recovery = (fault: string) => (outcome: Outcome) => {
    const found = outcome.recovery[fault]
    return found ? `${found.p50Ms.toFixed(0)} / ${found.maxMs.toFixed(0)} (${found.count})` : '–'
  }
  const rows = [
    row('accepted', ({ verdict }) => verdict.acked),
    row('not known to be accepted', ({ verdict }) => verdict.indeterminate),
    row('ended', ({ ended }) => Object.values(ended).reduce((sum, count) => sum + count, 0)),
    row('still live at the end', ({ remaining }) => remaining),
    row('seconds to drain', ({ drainS }) => drainS.toFixed(1)),
    row('runs', ({ verdict }) => verdict.runs),
    row('runs beyond the first', ({ verdict }) => verdict.extraRuns),
    row('late effects refused', ({ verdict }) => verdict.lateEffects),
    row('failed: killed three times by the run', ({ crashedByFaults }) => crashedByFaults),
    ...laws.map((law) => row(`✗ ${LAWS[law]}`, ({ verdict }) => verdict.broken[law].length)),
    row('✗ says against itself', ({ against }) => against.length),
    ...['executor', 'worker', 'manager', 'freeze', 'sigterm', 'store'].map((fault) =>
      row(`begins again after ${fault}, p50 / max ms (jobs)`, recovery(fault)),
    ),
    row('jobs in flight when hit', ({ exposure }) => exposure['jobs in flight when hit'] ?? 0),
    row('loss per job hit, 95 % bound', bound),
  ]
  const title = outcomes.map(({ system, about }) => `${system}: ${Object.values(about).join(', ')}`)
  return `${table(['', ...outcomes.map(({ system }) => system)], rows)}\n\n${title.join('\n')}\n`
}

/** The rule of three, where nothing was lost. */
function bound({ verdict, exposure }: Outcome): string {
  const hit = exposure['jobs in flight when hit'] ?? 0
  return verdict.broken.lost.length > 0 || hit === 0 ? '–' : `< ${(300 / hit).toFixed(2)} %`
}

/** Examples of what was broken, for whoever must find out why. */
export function explain(outcomes: readonly Outcome[]): string {
  return outcomes
    .flatMap(({ system, verdict, against }) => [
      ...Object.entries(verdict.broken).flatMap(([law, ids]) =>
        ids.slice(0, 5).map((id) => `${system}, ${law}: ${id}`),
      ),
      ...against.map((line) => `${system}: ${line}`),
    ])
    .map((line) => styleText('red', line))
    .join('\n')
}
