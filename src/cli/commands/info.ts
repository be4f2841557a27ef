import { setTimeout as sleep } from 'node:timers/promises'
import type { Errand } from '../../open.ts'
import type { Define } from '../commands.ts'
import { queueLines, workerLines } from '../info-page.ts'
import { storePage, total, totalsPage } from '../pages.ts'
import type { Print } from '../print.ts'
import { stopSignal } from '../stopping.ts'

const REDRAW_MS = 1000

export const info: Define = (command, desk) => {
  command
    .option('--watch', 'draw again each second')
    .action(async ({ watch = false }: { watch?: boolean }) => {
      await using errand = await desk.errand()
      if (!watch) return show(desk.print, await look(errand))
      const signal = stopSignal()
      while (!signal.aborted) {
        const seen = await look(errand)
        desk.print.clear()
        show(desk.print, seen)
        await sleep(REDRAW_MS, undefined, { signal }).catch(() => {})
      }
    })
}

async function look({ watch, store }: Errand) {
  const [queues, workers] = await Promise.all([watch.queues(), watch.workers()])
  return {
    at: new Date().toISOString(),
    store: store.about,
    queues,
    workers,
    totals: total(queues),
  }
}

const show = (print: Print, seen: Awaited<ReturnType<typeof look>>) =>
  print.show(seen, () =>
    [
      queueLines(print, seen.queues),
      workerLines(print, seen.workers, seen.queues),
      totalsPage(print, seen.totals),
      `${storePage(seen.store)}\nat     ${seen.at}`,
    ].join('\n\n'),
  )
