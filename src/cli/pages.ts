import { formatSpan } from '../base/time.ts'
import type { PauseView } from '../job/pause.ts'
import { type State, STATES } from '../job/state.ts'
import type { About, Tally } from '../store/contract.ts'
import type { QueueView } from '../watch/queues.ts'
import { isOverloaded, type WorkerView } from '../watch/workers.ts'
import { brief, columns, type Print } from './print.ts'

/** A moment as people ask for it on a terminal, and as programs do in a pipe. */
export const when = (print: Print, moment: string | undefined): string => {
  if (moment === undefined) return ''
  const ago = Date.now() - Date.parse(moment)
  if (!print.tty) return moment
  return ago < 0 ? `in ${formatSpan(-ago)}` : `${formatSpan(ago)} ago`
}

export function queuesPage(print: Print, tallies: readonly QueueView[]): string {
  if (tallies.length === 0) return 'no job was ever accepted here'
  const most = Math.max(...tallies.map(toDo))
  const anyPaused = tallies.some(({ paused }) => paused)
  const rows = tallies.map((tally) => [
    print.heading(tally.queue),
    `${print.bar(toDo(tally), most, 'cyan')} ${toDo(tally)}`,
    ...STATES.map((state) => tint(print, state, tally[state])),
    tally.oldestReadyAt === undefined
      ? ''
      : formatSpan(Math.max(0, Date.now() - tally.oldestReadyAt)),
    ...(anyPaused ? [tally.paused ? pausedText(print, tally.paused) : ''] : []),
  ])
  return print.table(
    [
      'QUEUE',
      'TO DO',
      ...STATES.map((state) => state.toUpperCase()),
      'OLDEST',
      ...(anyPaused ? ['PAUSED'] : []),
    ],
    rows,
  )
}

/** Since when, by whom and why. */
export function pausedText(print: Print, { since, person, reason }: PauseView): string {
  const by = person === undefined ? '' : ` by ${person}`
  const why = reason === undefined ? '' : `: ${reason}`
  return print.paint('yellow', brief(`${when(print, since)}${by}${why}`, 100))
}

export function workersPage(print: Print, workers: readonly WorkerView[]): string {
  if (workers.length === 0) return 'no worker is known'
  const rows = workers.map((worker) => {
    const { id, running, concurrency, host, pid, queues, registeredAt } = worker
    return [
      id,
      leaseText(print, worker),
      `${running}${concurrency === undefined ? '' : `/${concurrency}`}`,
      brief(`${host ?? ''}:${pid ?? ''}`),
      brief(queues?.join(',') || 'all'),
      when(print, registeredAt),
    ]
  })
  return print.table(['WORKER', 'LEASE', 'RUNNING', 'HOST:PID', 'QUEUES', 'SINCE'], rows)
}

function leaseText(print: Print, worker: WorkerView): string {
  if (!worker.alive) return print.paint('gray', 'gone')
  return isOverloaded(worker) ? print.paint('yellow', 'overloaded') : print.paint('green', 'alive')
}

export function totalsPage(print: Print, totals: Totals): string {
  const counts = STATES.map((state) => `${tint(print, state, totals[state])} ${state}`)
  return [`${totals.accepted} accepted:`, ...counts, `${totals.erased} erased`].join('  ')
}

export const storePage = ({ kind, location, durability, schema }: About): string =>
  columns([['store', `${kind} ${location}`, `durability ${durability}`, `schema ${schema}`]])

export type Totals = { accepted: number; erased: number } & Record<State, number>

export function total(tallies: readonly Tally[]): Totals {
  const sum = (name: keyof Totals) => tallies.reduce((all, tally) => all + tally[name], 0)
  return {
    accepted: sum('accepted'),
    scheduled: sum('scheduled'),
    ready: sum('ready'),
    running: sum('running'),
    waiting: sum('waiting'),
    completed: sum('completed'),
    failed: sum('failed'),
    cancelled: sum('cancelled'),
    erased: sum('erased'),
  }
}

/** Whatever has not ended. */
export const toDo = ({ ready, running, scheduled, waiting }: Tally): number =>
  ready + running + scheduled + waiting

const tint = (print: Print, state: State, amount: number) =>
  amount === 0
    ? print.paint('gray', '0')
    : print.paint(state === 'failed' ? 'red' : 'reset', `${amount}`)
