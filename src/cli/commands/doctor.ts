import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Errand } from '../../open.ts'
import type { QueueView } from '../../watch/queues.ts'
import { isOverloaded, type WorkerView } from '../../watch/workers.ts'
import type { App } from '../../http/app.ts'
import { digestOfApp, findApp, loadApp } from '../app.ts'
import type { Define } from '../commands.ts'
import type { Desk } from '../desk.ts'
import { faultOf } from '../fault.ts'
import { lackOfKeys } from '../keys.ts'
import { columns, type Print } from '../print.ts'
import { SEAL_KEY_FILE, SETTINGS } from '../rows.ts'
import { shown } from '../settings.ts'
import { VERSION } from '../version.ts'

type Check = { about: string; is: 'well' | 'warning' | 'wrong'; text: string }

export const doctor: Define = (command, desk) => {
  command.action(async () => {
    const app = await loadHere(desk)
    const checks = [
      ...checkHere(desk),
      ...(await checkStore(desk, 'jobs' in app ? app : undefined)),
      ...('jobs' in app ? await checkApp(desk, app) : app),
    ]
    const settings = desk.inForce.readings.map((reading) => ({
      setting: SETTINGS[reading.name].env,
      value: shown(reading),
      origin: reading.origin,
    }))
    desk.print.show({ version: VERSION, node: process.versions.node, checks, settings }, () => {
      const rows = settings.map(({ setting, value, origin }) => [
        setting,
        value === '' ? '-' : value,
        origin,
      ])
      return [
        checksPage(desk.print, checks),
        desk.print.table(['SETTING', 'VALUE', 'FROM'], rows),
      ].join('\n\n')
    })
    if (checks.some(({ is }) => is === 'wrong')) process.exitCode = 1
  })
}

const CHECK_MS = 5000

const well = (about: string, text: string): Check => ({ about, is: 'well', text })
const warning = (about: string, text: string): Check => ({ about, is: 'warning', text })

function checkHere({ settings: { insecure }, inForce: { readings } }: Desk): Check[] {
  const besides = readings.find(({ origin }) => basename(origin) === SEAL_KEY_FILE)
  const { node } = process.versions
  const isOld = Number.parseInt(node, 10) < 26
  return [
    isOld
      ? { about: 'node', is: 'wrong', text: `${node}; 26 or later is needed` }
      : well('node', node),
    ...(insecure
      ? [warning('address', 'insecure is set: whoever reaches the port may do everything')]
      : []),
    ...(besides
      ? [warning('keys', `${besides.origin} lies beside what it seals; set ERRAND_SEAL_KEYS`)]
      : []),
  ]
}

async function checkStore(desk: Desk, app: App | undefined): Promise<Check[]> {
  try {
    await using errand = await desk.errand({ migrate: false })
    const { watch } = errand
    const [workers, queues, warnings] = await Promise.all([
      watch.workers(),
      watch.queues(),
      watch.warnings(),
    ])
    return [
      ...checkAbout(errand),
      ...warnings.map((text) => warning('store', text)),
      checkClock(workers),
      ...checkBuilds(desk, app, workers),
      checkWorkers(workers),
      ...workers
        .filter(isOverloaded)
        .map(({ id }) => warning('workers', `${id} is overloaded: it takes no more jobs`)),
      ...checkQueues(queues, workers),
    ]
  } catch (error) {
    const { code, why = 'an unforeseen error' } = faultOf(error)
    return [{ about: 'store', is: 'wrong', text: `${code}: ${why}` }]
  }
}

/** The app, or what is wrong with it; nothing where there is none. */
async function loadHere({ settings }: Desk): Promise<App | Check[]> {
  let file: string
  try {
    file = findApp(settings.app)
  } catch {
    return []
  }
  try {
    return await loadApp(file)
  } catch (error) {
    return [{ about: 'app', is: 'wrong', text: faultOf(error).why ?? 'it cannot be loaded' }]
  }
}

/** What the app says that it needs. */
async function checkApp({ settings }: Desk, app: App): Promise<Check[]> {
  const lack = lackOfKeys(settings, app)
  return [
    ...(lack === undefined ? [] : [warning('keys', lack)]),
    ...(await Promise.all(Object.entries(app.checks ?? {}).map((one) => ask(...one)))),
  ]
}

async function ask(about: string, check: () => void | Promise<void>): Promise<Check> {
  try {
    const late = sleep(CHECK_MS, undefined, { ref: false }).then(() => {
      throw new Error(`it did not answer within ${CHECK_MS / 1000} s`)
    })
    await Promise.race([check(), late])
    return well(about, 'it is there')
  } catch (error) {
    return { about, is: 'wrong', text: error instanceof Error ? error.message : String(error) }
  }
}

function checkAbout({ store: { about } }: Errand): Check[] {
  const { kind, location, durability, risk, schema } = about
  return [
    well('store', `${kind} ${location}`),
    well('schema', `${schema}`),
    risk === undefined
      ? well('durability', durability)
      : warning('durability', `${durability}: ${risk}`),
  ]
}

/** `alive` was judged by the store's clock; where ours judges otherwise, it is ahead. */
function checkClock(workers: readonly WorkerView[]): Check {
  const odd = workers.find(({ alive, leaseUntil }) => alive && Date.parse(leaseUntil) < Date.now())
  return odd === undefined
    ? well('clock', new Date().toISOString())
    : warning('clock', `the clock here is ahead of the store's, by worker ${odd.id}`)
}

/** Processes on one store that are not of one release, or not of one mind. */
function checkBuilds(
  { build }: Desk,
  app: App | undefined,
  workers: readonly WorkerView[],
): Check[] {
  const alive = workers.filter((worker) => worker.alive)
  const { appSettings: ours } = app ? digestOfApp(app) : {}
  const releases = new Set([build, ...alive].flatMap(({ release }) => release ?? []))
  const others = alive.filter(({ settings }) => settings && settings !== build.settings)
  return [
    ...(releases.size > 1 ? [warning('release', `there are ${[...releases].join(' and ')}`)] : []),
    ...others.map(({ id }) =>
      warning('settings', `worker ${id} has other settings than are in force here`),
    ),
    ...alive
      .filter(({ appSettings: theirs }) => ours !== undefined && theirs && theirs !== ours)
      .map(({ id }) => warning('settings', `the app of worker ${id} has other settings than here`)),
  ]
}

function checkWorkers(workers: readonly WorkerView[]): Check {
  const alive = workers.filter((worker) => worker.alive).length
  return alive > 0
    ? well('workers', `${alive} alive`)
    : warning('workers', 'none is alive: nothing runs')
}

function checkQueues(queues: readonly QueueView[], workers: readonly WorkerView[]): Check[] {
  // A worker that names no queue serves them all.
  const isServed = (queue: string) =>
    workers.some(
      ({ alive, queues: names = [] }) => alive && (names.length === 0 || names.includes(queue)),
    )
  const paused = queues.filter((queue) => queue.paused)
  const lonely = queues.filter(({ queue, ready }) => ready > 0 && !isServed(queue))
  const parked = queues.filter(({ waiting }) => waiting > 0)
  return [
    ...paused.map(({ queue, ready }) =>
      warning('queue', `${queue} is paused; ${ready} ready in it`),
    ),
    ...lonely.map(({ queue, ready }) =>
      warning('queue', `${ready} ready in ${queue}, and no worker serves it`),
    ),
    ...parked.map(({ queue, waiting }) =>
      warning('queue', `${waiting} in ${queue} wait for a worker that knows them`),
    ),
  ]
}

const MARKS = { well: ['green', '✔'], warning: ['yellow', '!'], wrong: ['red', '✘'] } as const

function checksPage(print: Print, checks: readonly Check[]): string {
  return columns(
    checks.map(({ about, is, text }) => {
      const [colour, mark] = MARKS[is]
      return [print.paint(colour, mark), about, text]
    }),
  )
}
