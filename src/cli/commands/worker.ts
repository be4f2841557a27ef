import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nextCron } from '../../cron.ts'
import { Keyring } from '../../job/seal.ts'
import { ProcessCrew } from '../../worker/processes.ts'
import { Worker } from '../../worker/worker.ts'
import type { Errand } from '../../open.ts'
import { findApp } from '../app.ts'
import type { Define } from '../commands.ts'
import { type Desk, offer, WORKER_SETTINGS } from '../desk.ts'
import { joinFamily, managed, tellManager } from '../family.ts'
import { faultOf } from '../fault.ts'
import { type Log, openLog } from '../log.ts'
import { tellAttempts } from '../lives.ts'
import { reach } from '../reach.ts'
import { filesRoot, type Settings } from '../rows.ts'
import { seldom } from '../seldom.ts'
import { publish } from '../settings.ts'
import { aborted, ORPHANED } from '../stopping.ts'

/** Whatever ended a worker would end the next one as fast; and its crew may have more to tell. */
const ANEW_MS = 500
const EXECUTOR = fileURLToPath(new URL('../executor.ts', import.meta.url))

export const worker: Define = (command, desk) => {
  offer(command, WORKER_SETTINGS)
    .option('--burst', 'end once nothing is ready and nothing runs')
    .addOption(managed())
    .action(async (options: { managed?: true; burst?: true }) => {
      process.title = 'errand worker'
      const signal = joinFamily(options)
      const isSettled = await work(desk, openLog(desk.settings), signal, options.burst)
      // What could not be handed back may still be trying; its lease runs out without us.
      if (!isSettled) process.exit(1)
    })
}

/** Works until told to stop; false when something had to be left for others to take over. */
async function work(desk: Desk, log: Log, asked: AbortSignal, isBurst = false): Promise<boolean> {
  const drained = new AbortController()
  const signal = AbortSignal.any([asked, drained.signal])
  const { settings } = desk
  publish(desk.inForce.readings)
  // While the executors start, which takes longer: a worker may be waited for.
  const opening = reach(() => desk.errand(), waiting(log, signal))
  // Heard where it is awaited.
  opening.catch(() => undefined)
  const starting = startCrew(findApp(settings.app), settings, log).catch(async (error: unknown) => {
    // A store that was reached, or is waited for, would keep the process of a worker that cannot be.
    drained.abort()
    await (await opening.catch(() => undefined))?.[Symbol.asyncDispose]()
    throw error
  })
  await Promise.race([starting, aborted(asked)])
  // Executors that have not started hold nothing, and end with us.
  if (asked.aborted) process.exit(0)
  await using crew = await starting
  await using errand = await opening
  if (errand === undefined) return true
  for (let late = 0; !signal.aborted;) {
    const running = await reach(
      () => startWorker(errand, crew, desk, log, late),
      waiting(log, signal),
    )
    if (running === undefined) return true
    tellManager({ worker: running.id })
    log.info({ worker: running.id, jobs: crew.manifest.length }, 'worker started')
    flushCompileCache()
    if (isBurst) void untilDrained(errand, settings, signal).then(() => drained.abort())
    await Promise.race([running.closed, aborted(signal)])
    if (!signal.aborted) {
      await sleep(ANEW_MS, undefined, { signal }).catch(() => {})
      late = running.late
      log.warn({ worker: running.id, late }, 'worker lost its lease; another begins')
      continue
    }
    const isSettled = await running.stop(signal.reason === ORPHANED ? 0 : settings.graceMs)
    log.info({ worker: running.id, isSettled }, 'worker stopped')
    return isSettled
  }
  return true
}

/** Until the queues that are served have nothing left that is ready or runs. */
async function untilDrained(errand: Errand, { queues, pollMs }: Settings, signal: AbortSignal) {
  for (let left = 1; left > 0 && !signal.aborted; await sleep(pollMs / 4)) {
    const tallies = await errand.watch.queues().catch(() => undefined)
    const served = tallies?.filter(({ queue }) => queues === undefined || queues.includes(queue))
    left = served?.reduce((sum, { ready, running }) => sum + ready + running, 0) ?? 1
  }
}

const startCrew = (app: string, settings: Settings, log: Log): Promise<ProcessCrew> =>
  ProcessCrew.start({
    entry: EXECUTOR,
    args: [app, filesRoot(settings)],
    processes: settings.processes,
    concurrency: settings.concurrency,
    maxJobs: settings.maxJobs,
    maxMemoryMb: settings.maxMemory,
    overloadMs: settings.overloadMs,
    onError: (error) => log.error(faultOf(error), 'an executor failed'),
    onCrew: (crew) => tellManager({ crew }),
  })

const startWorker = (
  { store, files }: Errand,
  crew: ProcessCrew,
  { settings, build }: Desk,
  log: Log,
  lateBefore: number,
): Promise<Worker> => {
  const { queues = [], concurrency, leaseMs, renewMs, sweepMs, pollMs } = settings
  const { graceMs, cancelGraceMs, sealKeys, auditKeepMs } = settings
  return Worker.start({
    store,
    files,
    crew,
    lateBefore,
    planned: crew.planned,
    build: { ...build, ...(crew.appSettings && { appSettings: crew.appSettings }) },
    next: nextCron,
    keys: sealKeys === undefined ? undefined : Keyring.read(sealKeys),
    settings: {
      queues,
      concurrency,
      leaseMs,
      renewMs,
      sweepMs,
      pollMs,
      graceMs,
      cancelGraceMs,
      auditKeepMs,
    },
    onError: seldom((fault) => log.error(fault, 'the worker met an error and goes on')),
    ...tellAttempts(log),
  })
}

const waiting = (log: Log, signal: AbortSignal): Parameters<typeof reach>[1] => ({
  signal,
  tell: (error, delayMs) => log.warn({ ...faultOf(error), delayMs }, 'waiting for the store'),
})
