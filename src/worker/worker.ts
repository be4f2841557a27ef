import { hostname } from 'node:os'
import { encodeJson } from '../base/json.ts'
import { newId } from '../base/id.ts'
import type { Millis } from '../base/time.ts'
import type { Claimed, WorkerId } from '../job/job.ts'
import { vitalsGauges } from '../job/vitals.ts'
import type { Files } from '../files/contract.ts'
import type { NextCron } from '../job/rule.ts'
import type { Planned } from '../job/schedule.ts'
import type { Keyring } from '../job/seal.ts'
import type { Intake, Lookout, Workbench } from '../store/contract.ts'
import type { Crew } from './crew.ts'
import { Foreman, type Settled } from './foreman.ts'
import { Housekeeping } from './housekeeping.ts'
import { Lease } from './lease.ts'
import { Plans } from './plans.ts'
import { WORKER_DEFAULTS, type WorkerSettings } from './settings.ts'
import { Timetable } from './timetable.ts'

export type WorkerParts = {
  store: Workbench &
    Pick<Intake, 'put' | 'cancel' | 'hold'> &
    Pick<Lookout, 'listen' | 'find' | 'entries' | 'workers'>
  files: Files
  crew: Crew
  settings?: Partial<WorkerSettings>
  onError?: (error: unknown) => void
  /** Told of every attempt that was handed to the crew. */
  onBegun?: (job: Claimed) => void
  /** Told of every attempt that ended. */
  onSettled?: (settled: Settled) => void
  /** Results refused before, by a worker of this process that was given up: shown with this one's. */
  lateBefore?: number
  /** The schedules that the code of its app names, if it knows. */
  planned?: Planned | undefined
  /** What tells its release and its settings apart from those of others. */
  build?: { release?: string; settings: string; appSettings?: string }
  /** How cron rules are read; without it this worker fires no schedules. */
  next?: NextCron
  /** Opens and seals the inputs of private jobs that schedules fire. */
  keys?: Keyring | undefined
}

/** Who has nobody to tell. */
const nobody = () => undefined

/** One foreman with its crew, its lease and its housekeeping, from registration to retirement. */
export class Worker {
  readonly id: WorkerId
  /** Settles when the worker has ended: after `stop`, or because the store gave its jobs to others. */
  readonly closed: Promise<void>
  readonly #parts: WorkerParts
  readonly #settings: WorkerSettings
  readonly #foreman: Foreman
  readonly #stopping = new AbortController()

  private constructor(
    id: WorkerId,
    parts: WorkerParts,
    settings: WorkerSettings,
    plans: Plans | undefined,
  ) {
    const { store, files, crew, lateBefore = 0, next, keys } = parts
    const { onError = nobody, onBegun = nobody, onSettled = nobody } = parts
    this.id = id
    this.#parts = parts
    this.#settings = settings
    const foreman = new Foreman({
      bench: store,
      worker: id,
      crew,
      settings,
      onError,
      onBegun,
      onSettled,
      lateBefore,
      // What cannot be removed now is found later, by its age.
      cutOff: (job) => void files.removeAll(job.id, job.fence).catch(onError),
      takenOver: (job) => void files.removeBefore(job.id, job.fence).catch(onError),
      askAgain: () => lease.renewNow(),
    })
    this.#foreman = foreman
    const lease = new Lease(store, id, settings, {
      extended: (ms) => crew.live(ms),
      cancelAsked: (ids) => foreman.cancel(ids),
      shaken: () => foreman.abortAll(),
      broken: () => crew.abandon(),
      // The next exchange is refused, which ends the foreman.
      gone: foreman.ring,
      metrics: () => foreman.stats.snapshot(...vitalsGauges(id, crew.vitals)),
      onError,
    })
    const housekeeping = new Housekeeping({
      store,
      files,
      manifest: crew.manifest,
      everyMs: settings.sweepMs,
      auditKeepMs: settings.auditKeepMs,
      askSweep: () => foreman.askSweep(),
      claimNow: foreman.ring,
      keepPlans: async () => plans?.keep(),
      onError,
    })
    const timetable =
      next && new Timetable({ store, next, keys, everyMs: settings.sweepMs, onError })
    const listening = store.listen('ready', foreman.ring)
    const hearing = store.listen('cancel', lease.renewNow)
    this.closed = foreman
      .run(this.#stopping.signal)
      .catch((error: unknown) => {
        crew.abandon()
        onError(error)
      })
      .finally(() =>
        [listening, hearing, lease, housekeeping, timetable].forEach((part) =>
          part?.[Symbol.dispose](),
        ),
      )
  }

  /** Registers and begins to work. @throws ErrandError STORE_BUSY and its kin */
  static async start(parts: WorkerParts): Promise<Worker> {
    const settings = { ...WORKER_DEFAULTS, ...parts.settings }
    const { store, crew, next, planned, build } = parts
    const plans = next && planned && new Plans(store, planned, next)
    const id = newId()
    const { queues, leaseMs } = settings
    const { concurrency, processes } = crew
    const info = {
      host: hostname(),
      pid: process.pid,
      node: process.version,
      queues,
      concurrency,
      processes,
      ...build,
      ...(plans && { schedules: plans.set }),
    }
    await store.register({ id, leaseMs, info: encodeJson(info) ?? new Uint8Array() })
    await store.unpark(crew.manifest)
    await plans?.keep(true)
    const worker = new Worker(id, parts, settings, plans)
    // A worker that died and was replaced by this one left jobs to take over.
    worker.#foreman.askSweep()
    return worker
  }

  /** Results that came too late to count, so far. */
  get late(): number {
    return this.#foreman.stats.late
  }

  /**
   * Claims nothing more, waits for what runs up to the grace time, hands back the rest and retires.
   * `graceMs` is that of its settings unless given.
   * @returns whether the store has heard of everything
   */
  async stop(graceMs = this.#settings.graceMs): Promise<boolean> {
    const { crew, store, onError } = this.#parts
    this.#stopping.abort()
    crew.recall()
    const grace = setTimeout(() => crew.abandon(), graceMs)
    const ended = await Promise.race([this.closed.then(() => true), this.#giveUp(graceMs)])
    clearTimeout(grace)
    if (!ended) return false
    await store.renew(this.id, this.#foreman.stats.snapshot()).catch(onError ?? nobody)
    return store.retire(this.id).then(
      () => true,
      () => false,
    )
  }

  /** A store that is down when we stop is not waited for: our lease will run out. */
  #giveUp(graceMs: Millis): Promise<false> {
    const { promise, resolve } = Promise.withResolvers<false>()
    setTimeout(() => resolve(false), graceMs + 3000).unref()
    return promise
  }
}
