import type { Millis } from '../base/time.ts'
import type { BatchView } from '../job/batch.ts'
import type { Watch } from '../watch/watch.ts'
import { when } from './pages.ts'
import { columns, type Print } from './print.ts'

const WIDTH = 40
const LOOK_EVERY_MS = 200

const TINTS = { completed: 'green', partial: 'yellow', failed: 'red', cancelled: 'gray' } as const

const stateOf = (print: Print, { state, outcome, stopped }: BatchView): string => {
  if (outcome) return print.paint(TINTS[outcome], outcome)
  if (stopped) return print.paint('gray', 'stopping')
  return print.paint('cyan', state === 'closed' ? 'running' : state)
}

/** What has become of its items, side by side in one bar. */
function bar(print: Print, { items, completed, failed, cancelled }: BatchView, width: number) {
  const parts = [
    print.bar(completed, items, 'green', width),
    print.bar(failed, items, 'red', width),
    print.bar(cancelled, items, 'gray', width),
  ]
  return parts.join('')
}

export function batchesPage(print: Print, views: readonly BatchView[]): string {
  if (views.length === 0) return 'no batch is known here'
  const rows = views.map((view) => [
    view.id,
    view.job,
    stateOf(print, view),
    `${view.items - view.pending}/${view.items}`,
    view.failed === 0 ? '0' : print.paint('red', `${view.failed}`),
    bar(print, view, 20),
    when(print, view.createdAt),
  ])
  return print.table(['BATCH', 'JOB', 'STATE', 'ENDED', 'FAILED', '', 'CREATED'], rows)
}

export function batchPage(print: Print, view: BatchView): string {
  const { items, pending, completed, withErrors, failed, cancelled, stopped } = view
  const line = (what: string, amount: number, tint: Parameters<Print['bar']>[2], more = '') => [
    what,
    `${amount}`,
    `${print.bar(amount, items, tint, WIDTH)} ${more}`.trim(),
  ]
  const warned = withErrors > 0 ? `${withErrors} with errors` : ''
  return [
    columns([
      [print.heading(view.job), view.id],
      ['state', `${stateOf(print, view)}${stopped ? ` (${STOPPED[stopped]})` : ''}`],
      ['created', when(print, view.createdAt)],
      ...(view.endedAt === undefined ? [] : [['ended', when(print, view.endedAt)]]),
    ]),
    '',
    columns([
      ['items', `${items}`],
      line('completed', completed, 'green', warned),
      line('failed', failed, 'red'),
      line('cancelled', cancelled, 'gray'),
      line('to do', pending, 'cyan'),
    ]),
    ...(failed > 0 ? ['', `why they failed: errand batches ${view.id} --errors`] : []),
  ].join('\n')
}

const STOPPED = {
  asked: 'somebody asked',
  failures: 'too many items failed',
  unclosed: 'nobody closed it for an hour',
} as const

/** The batch once it has ended, or as it stands when the time is over; drawn over itself meanwhile. */
export async function watchBatch(
  print: Print,
  watch: Watch,
  id: string,
  ms: Millis,
): Promise<BatchView> {
  const until = performance.now() + ms
  for (;;) {
    const left = until - performance.now()
    const view = await watch.batchEnded(id, Math.max(0, Math.min(left, LOOK_EVERY_MS)))
    if (view.state === 'ended' || left <= 0) {
      print.over('')
      return view
    }
    print.over(`${view.items - view.pending} of ${view.items}  ${bar(print, view, WIDTH)}`)
  }
}
