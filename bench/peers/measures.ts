import { percentile } from '../lib/statistics.ts'
import type { Grounds } from './grounds.ts'
import type { Figures, MeasureName } from './names.ts'
import { scaled, settings } from './settings.ts'
import { Stage } from './stage.ts'
import type { System } from './systems.ts'
import type { Counted, Program } from './talk.ts'

const SECONDS = settings.quick ? 0.5 : 3
const PATIENCE_S = settings.quick ? 30 : 120
const IDLE_WARM_UP = { jobs: 20, perSecond: 50 }
const IDLE = { jobs: settings.quick ? 100 : 300, perSecond: 50 }
const STREAM = { jobs: settings.quick ? 5000 : 20_000, perSecond: 5000 }
const STREAM_WARM_UP = { jobs: 500, perSecond: 500 }
const WAITING = settings.quick ? 10_000 : 50_000
const SNAPSHOT_JOBS = scaled(300_000)
const FEW = 10_000
const MANY = scaled(1_000_000)

const BULK = 1000
const MANY_AT_ONCE = 100
const FEW_AT_ONCE = 10
/** What would take minutes for so many jobs is not asked to. */
const isFast = ({ jobs }: System) => jobs >= 50_000

const rate = ({ jobs, ms }: { jobs: number; ms: number }) => (jobs / ms) * 1000

type Measure = (system: System, grounds: Grounds) => Promise<Figures>

/** How each figure is taken, every one on a fresh place. What a system cannot do has no figure. */
export const TAKE: Record<MeasureName, Measure> = {
  async enqueue(system, grounds) {
    const one = async (callers: number, size: number) => {
      await using stage = await Stage.set(system, grounds)
      return rate(await stage.producer.enqueue(callers, size, SECONDS))
    }
    return {
      'enqueue, one awaiting caller': await one(1, 1),
      'enqueue, 100 concurrent callers': await one(100, 1),
      'enqueue, bulk of 1000': await one(1, BULK),
      'enqueue, bulk of 1000, 4 callers': await one(4, BULK),
    }
  },

  async process(system, grounds) {
    const one = async (concurrency: number, executors = false) => {
      const count = scaled(system.jobs)
      return rate(await drain(system, grounds, { waiting: count, count, concurrency, executors }))
    }
    return {
      'process, inline, concurrency 100': await one(MANY_AT_ONCE),
      ...(system.isSequential ? {} : { 'process, inline, concurrency 10': await one(FEW_AT_ONCE) }),
      ...(system.isErrand && { 'process, worker with executors': await one(MANY_AT_ONCE, true) }),
    }
  },

  async pickup(system, grounds) {
    await using stage = await Stage.set(system, grounds)
    const worker = await idle(stage, FEW_AT_ONCE, IDLE_WARM_UP)
    const { latencies } = await pickUp(stage, worker, IDLE)
    return {
      'idle pickup, p50': percentile(latencies, 0.5),
      'idle pickup, p99': percentile(latencies, 0.99),
    }
  },

  async stream(system, grounds) {
    await using stage = await Stage.set(system, grounds)
    const worker = await idle(stage, MANY_AT_ONCE, STREAM_WARM_UP)
    const { latencies, ...counted } = await pickUp(stage, worker, STREAM)
    return {
      'pickup at 5 000/s, p50': percentile(latencies, 0.5),
      'pickup at 5 000/s, p99': percentile(latencies, 0.99),
      'pickup at 5 000/s, kept up with': Math.min(rate(counted), STREAM.perSecond),
    }
  },

  async bytes(system, grounds) {
    await using stage = await Stage.set(system, grounds)
    await stage.producer.fill(BULK)
    // A file that is open says little: what is in it may be in its journal, or still nowhere.
    const isFile = system.server === 'file'
    const before = isFile ? 0 : await stage.ground.bytes()
    await stage.producer.fill(WAITING)
    await stage.producer.close()
    await stage.endPrograms()
    const grown = (await stage.ground.bytes()) - before
    return { 'bytes per waiting job': grown / (isFile ? BULK + WAITING : WAITING) }
  },

  async snapshot(system, grounds) {
    if (system.server !== 'postgres' || !isFast(system)) return {}
    const many = { waiting: SNAPSHOT_JOBS, count: SNAPSHOT_JOBS, concurrency: MANY_AT_ONCE }
    const free = await drain(system, grounds, many)
    const held = await drain(system, grounds, { ...many, snapshot: true })
    return {
      'many jobs, no snapshot': rate(free),
      'many jobs, a snapshot held': rate(held),
      // Without a last tenth: time was up before.
      ...(held.tailMs > 0 && {
        'many jobs, a snapshot held, last tenth': rate({ jobs: held.tailJobs, ms: held.tailMs }),
      }),
      'snapshot held / no snapshot': rate(held) / rate(free),
    }
  },

  async backlog(system, grounds) {
    if (!system.isFilledFast) return {}
    const count = scaled(system.jobs) / 2
    const one = (waiting: number) =>
      drain(system, grounds, {
        waiting: waiting + count,
        count,
        concurrency: MANY_AT_ONCE,
        bare: true,
      })
    const few = rate(await one(FEW))
    const many = rate(await one(MANY))
    return {
      'claim, few waiting': few,
      'claim, many waiting': many,
      'many waiting / few waiting': many / few,
    }
  },
}

type Drain = {
  waiting: number
  count: number
  concurrency: number
  executors?: boolean
  snapshot?: boolean
  /** Without statistics about what was filled in. */
  bare?: boolean
}

/** Fills first; then a worker gets through `count` of what waits. */
async function drain(system: System, grounds: Grounds, how: Drain): Promise<Counted> {
  await using stage = await Stage.set(system, grounds)
  if (how.bare) await stage.ground.stopAnalyzing?.()
  await stage.producer.fill(how.waiting)
  await using _snapshot = how.snapshot ? await stage.ground.holdSnapshot?.() : undefined
  const worker = stage.worker()
  const [counted] = await Promise.all([
    worker.count(how.count, PATIENCE_S),
    worker.work(how.concurrency, how.executors),
  ])
  return counted
}

type Pace = { jobs: number; perSecond: number }

/** A worker that has done its first jobs. */
async function idle(stage: Stage, concurrency: number, pace: Pace): Promise<Program> {
  const worker = stage.worker()
  await Promise.all([worker.work(concurrency), pickUp(stage, worker, pace)])
  return worker
}

async function pickUp(stage: Stage, worker: Program, { jobs, perSecond }: Pace): Promise<Counted> {
  const [counted] = await Promise.all([
    worker.count(jobs, PATIENCE_S),
    stage.producer.pace(jobs, perSecond),
  ])
  return counted
}
