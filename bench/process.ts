import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { type Errand, open } from 'errand'
import { input, noop } from './lib/jobs.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { scaled, settings } from './lib/settings.ts'
import { startExecutors, startInline, type WorkerProcess } from './lib/workers.ts'

/** How fast a worker in another process gets through jobs that do nothing. */
const COUNT = scaled(200_000)
const BATCH = 1000
const STALLED_MS = 10_000

using report = new Report('process')
await using folder = await temporaryFolder()
const url = `sqlite:${join(folder.path, 'errand.db')}`
await using errand = await open(url, { durability: settings.durability })

const first = await fill(errand)
await using worker =
  settings.worker === 'inline'
    ? await startInline(url, folder.path)
    : startExecutors(url, folder.path)
const endedAt = await allCompleted(errand, worker)
const startedAt = await firstStart(errand, first)

const { kind, durability } = errand.store.about
const value = (COUNT / (endedAt - startedAt)) * 1000
report.add({ what: `worker, ${settings.worker}`, store: kind, durability, unit: 'jobs/s', value })

/** Enqueues all jobs, and answers the ids of those that will run first. */
async function fill(to: Errand): Promise<string[]> {
  const inputs = Array.from({ length: BATCH }, () => input)
  const early = await to.enqueueMany(noop, inputs)
  for (let done = BATCH; done < COUNT; done += BATCH) await to.enqueueMany(noop, inputs)
  return early.map(({ id }) => id)
}

async function allCompleted(of: Errand, by: WorkerProcess): Promise<number> {
  let before = 0
  let movedAt = Date.now()
  for await (const _ of setInterval(20)) {
    const completed = (await of.queues()).reduce((sum, tally) => sum + tally.completed, 0)
    if (completed >= COUNT) break
    if (completed > before) movedAt = Date.now()
    before = completed
    const died = by.child.exitCode !== null || by.child.signalCode !== null
    if (died || Date.now() - movedAt > STALLED_MS)
      throw new Error(`stalled at ${completed} of ${COUNT} jobs`)
  }
  return Date.now()
}

/** When the first of these jobs was started, as the store saw it. */
async function firstStart(of: Errand, ids: readonly string[]): Promise<number> {
  const views = await Promise.all(ids.map((id) => of.job(id)))
  return Math.min(...views.map((view) => Date.parse(view.startedAt ?? '')))
}
