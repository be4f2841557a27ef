import { findApp } from '../app.ts'
import type { Define } from '../commands.ts'
import { type Desk, offer, SERVE_SETTINGS, WORKER_SETTINGS } from '../desk.ts'
import type { Ready } from '../family.ts'
import { makeSealKey } from '../keys.ts'
import { openLog } from '../log.ts'
import { manage } from '../manager.ts'
import { columns } from '../print.ts'
import { asEnvironment } from '../settings.ts'
import { stopSignal } from '../stopping.ts'
import { VERSION } from '../version.ts'

export const start: Define = (command, desk) => {
  offer(command, [...new Set([...SERVE_SETTINGS, ...WORKER_SETTINGS])]).action(async () => {
    process.title = 'errand manager'
    const { settings, readings } = desk.inForce
    // Named once here, so that a missing app is said once and not by each child.
    const app = findApp(settings.app)
    await makeSealKey(settings)
    process.exitCode = await manage({
      signal: stopSignal(),
      log: openLog(settings),
      graceMs: settings.graceMs,
      environment: asEnvironment(readings),
      retire: (worker) => retire(desk, worker),
      onReady: (ready) => welcome(desk, app, ready),
    })
  })
}

async function retire(desk: Desk, worker: string): Promise<void> {
  await using errand = await desk.errand({ migrate: false })
  await errand.store.retire(worker)
}

function welcome(
  { print, settings, inForce }: Desk,
  app: string,
  { url, page, store, first }: Ready,
): void {
  const { concurrency, processes } = settings
  const isTyped = inForce.readings.some(
    ({ name, origin }) => name === 'store' && origin === '--store',
  )
  const rows = [
    ['http', url],
    ...(page === undefined ? [] : [['page', page]]),
    ['app', app],
    ['store', store],
    ['worker', `${concurrency} jobs at a time, ${processes} processes`],
    ['try', first],
    ['look', `bin/errand info${isTyped ? ` --store ${settings.store}` : ''}`],
  ]
  print.show({ version: VERSION, node: process.versions.node, ...Object.fromEntries(rows) }, () => {
    const title = `${print.heading(`Errand ${VERSION}`)} on Node ${process.versions.node}`
    const lines = columns(
      rows.map(([name = '', value = '']) => [`  ${print.paint('gray', name)}`, value]),
    )
    return `\n${title}\n\n${lines}\n`
  })
}
