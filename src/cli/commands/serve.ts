import { flushCompileCache } from 'node:module'
import { buildServer } from '../../http/server.ts'
import { listen } from '../../http/listen.ts'
import { Links } from '../../http/links.ts'
import { digestOfApp, findApp, loadApp } from '../app.ts'
import type { Define } from '../commands.ts'
import { type Desk, offer, SERVE_SETTINGS } from '../desk.ts'
import { hearManager, joinFamily, managed, tellManager } from '../family.ts'
import { faultOf } from '../fault.ts'
import { firstRequest } from '../first.ts'
import { lackOfKeys, linkKey } from '../keys.ts'
import { tellEnqueued } from '../lives.ts'
import { type Log, openLog } from '../log.ts'
import { reach } from '../reach.ts'
import { seldom } from '../seldom.ts'
import { publish } from '../settings.ts'
import { aborted, ORPHANED } from '../stopping.ts'
import { VERSION } from '../version.ts'

/** What answers may still take once the manager is gone. */
const ORPHAN_GRACE_MS = 500

export const serve: Define = (command, desk) => {
  offer(command, SERVE_SETTINGS)
    .addOption(managed())
    .action(async (options: { managed?: true }) => {
      process.title = 'errand serve'
      const signal = joinFamily(options)
      await answer(desk, openLog(desk.settings), signal)
    })
}

async function answer(desk: Desk, log: Log, signal: AbortSignal): Promise<void> {
  const { settings } = desk
  const { host, port, insecure, graceMs } = settings
  publish(desk.inForce.readings)
  const app = await loadApp(findApp(settings.app))
  const links = new Links(await linkKey(settings))
  const { jobs, timeZone } = app
  const lack = lackOfKeys(settings, app)
  if (lack !== undefined) log.warn(lack)
  const zone = timeZone === undefined ? {} : { timeZone }
  const options = { jobs, flush: 'turn', ...zone, ...tellEnqueued(log) } as const
  await using errand = await reach(() => desk.errand(options), {
    signal,
    tell: (error, delayMs) => log.warn({ ...faultOf(error), delayMs }, 'waiting for the store'),
  })
  if (errand === undefined) return

  let troubles: readonly string[] = []
  hearManager((said) => (troubles = said.troubles))
  const server = await buildServer({
    errand,
    app,
    links,
    files: errand.files,
    settings: {
      version: VERSION,
      build: { ...desk.build, ...digestOfApp(app) },
      host,
      draining: signal,
      troubles: () => troubles,
      onRequest: (answered) => log.debug(answered, 'answered'),
      onError: seldom((said) => log.error(said, 'a request failed')),
    },
  })
  const isOpen = insecure || app.authenticate !== undefined
  const door = await listen(server, { host, port, isOpen })
  log.info({ url: door.url }, 'serving')
  flushCompileCache()
  const { kind, location, durability } = errand.store.about
  const first = firstRequest(app, server.routes, door.url)
  tellManager({
    ready: {
      url: door.url,
      ...((app.mount ?? app.apps) && { page: `${door.url}${app.mount ?? ''}/` }),
      store: `${kind} ${location}, durability ${durability}`,
      first,
    },
  })

  await aborted(signal)
  const isClean = await door.close(signal.reason === ORPHANED ? ORPHAN_GRACE_MS : graceMs)
  log.info({ isClean }, 'stopped serving')
}
