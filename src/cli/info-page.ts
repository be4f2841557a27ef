import { formatSpan } from '../base/time.ts'
import type { QueueView } from '../watch/queues.ts'
import { isOverloaded, type WorkerView } from '../watch/workers.ts'
import { pausedText, toDo } from './pages.ts'
import { brief, columns, counted, type Print } from './print.ts'

/** What is to do in each queue, a bar and a number, and how much that is in all. */
export function queueLines(print: Print, tallies: readonly QueueView[]): string {
  if (tallies.length === 0) return 'no job was ever accepted here'
  const most = Math.max(...tallies.map(toDo))
  const lines = tallies.map((tally) => [
    print.heading(tally.queue),
    `${print.bar(toDo(tally), most, 'cyan')} ${toDo(tally)}`,
    remarks(print, tally),
  ])
  const total = tallies.reduce((sum, tally) => sum + toDo(tally), 0)
  return `${columns(lines)}\n${counted(tallies.length, 'queue')}, ${counted(total, 'job')} total`
}

function remarks(print: Print, { oldestReadyAt, paused }: QueueView): string {
  const age = oldestReadyAt === undefined ? 0 : Math.max(0, Date.now() - oldestReadyAt)
  return [
    ...(oldestReadyAt === undefined ? [] : [print.paint('gray', `oldest ${formatSpan(age)}`)]),
    ...(paused ? [`paused ${pausedText(print, paused)}`] : []),
  ].join('  ')
}

/** What each worker does and where it takes jobs from, in its order; those long gone are left out. */
export function workerLines(
  print: Print,
  workers: readonly WorkerView[],
  tallies: readonly QueueView[],
): string {
  const alive = workers.filter((worker) => worker.alive)
  if (alive.length === 0) return 'no worker is alive; start one with: errand worker'
  const lines = alive.map((worker) => {
    const { host = '', pid = '', queues = [] } = worker
    return [
      `${brief(`${host}.${pid}`)} ${stateOf(print, worker)}:`,
      brief(queues.join(', ') || 'all queues', 100),
    ]
  })
  const served = new Set(
    alive.flatMap(({ queues = [] }) =>
      queues.length > 0 ? queues : tallies.map(({ queue }) => queue),
    ),
  )
  return `${columns(lines)}\n${counted(alive.length, 'worker')}, ${counted(served.size, 'queue')}`
}

function stateOf(print: Print, worker: WorkerView): string {
  const { running, concurrency } = worker
  if (isOverloaded(worker)) return print.paint('yellow', 'overloaded')
  if (running === 0) return print.paint('gray', 'idle')
  return print.paint(
    'green',
    `busy ${running}${concurrency === undefined ? '' : `/${concurrency}`}`,
  )
}
