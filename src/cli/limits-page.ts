import type { RateView } from '../job/rate.ts'
import { when } from './pages.ts'
import type { Print } from './print.ts'

export function limitsPage(print: Print, views: readonly RateView[]): string {
  if (views.length === 0) return 'no limit was used lately'
  const rows = views.map(({ name, rate, taken, count, closedUntil }) => [
    print.heading(name),
    rate ?? '',
    count === undefined ? '' : `${print.bar(taken, count, 'cyan', 20)} ${taken}/${count}`,
    closedUntil === undefined
      ? print.paint('green', 'open')
      : print.paint('red', `closed, opens ${when(print, closedUntil)}`),
  ])
  return print.table(['LIMIT', 'RATE', 'TAKEN', ''], rows)
}
