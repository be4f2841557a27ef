import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Errand, open } from 'errand'
import { idOf } from '../../src/job/schedule.ts'
import { openGround } from '../../test/support/ground.ts'
import type { StoreName } from '../../test/support/stores.ts'
import { seeded } from '../lib/random.ts'
import { percentile } from '../lib/statistics.ts'
import { Ledger } from './ledger.ts'
import { Root } from './processes.ts'
import { tick } from './tick.app.ts'

export type Trial = {
  store: StoreName
  seconds: number
  workers: number
  schedules: number
  seed: number
}

/** What came of it: counts, and every way in which a moment was not fired exactly once. */
export type Tale = {
  store: string
  durability: string
  kills: number
  moments: number
  runs: number
  lateMs: { p50: number; p99: number; max: number }
  broken: Record<Law, string[]>
  against: string[]
}

export const LAWS = {
  lost: 'a moment passed and no job of it is there',
  beyond: 'a job is there that is of no moment',
  twice: 'a schedule went on from a moment more often than there were moments',
  missed: 'a schedule counted a moment as missed',
  notRun: 'a job of a moment never ran, or did not complete',
} as const
type Law = keyof typeof LAWS

const ERRAND = resolve(import.meta.dirname, '../../bin/errand')
const RESTART_EVERY_MS = 250
const DRAIN_MAX_MS = 60_000
const [KILL_MIN_MS, KILL_MAX_MS] = [400, 1600]
const SECOND = 1000

/** Schedules of each second, workers killed at random, and a look at what was fired when all is calm again. */
export async function wind(
  folder: string,
  { store, seconds, workers, schedules, seed }: Trial,
): Promise<Tale> {
  await using ground = await openGround(store)
  const url = ground.fresh(folder)
  await using errand = await open(url, { jobs: [tick] })
  const ledgerFile = join(folder, 'ledger')
  const roots = Array.from(
    { length: workers },
    () => new Root(ERRAND, ['worker'], environment(folder, url, ledgerFile), join(folder, 'log')),
  )
  const supervising = setInterval(() => roots.forEach((root) => root.restart()), RESTART_EVERY_MS)
  try {
    await awake(errand, workers)
    const names = Array.from({ length: schedules }, (_, i) => `tick-${i}`)
    const firsts = new Map<string, number>()
    for (const name of names) {
      const options = { every: '1s', missed: 'all', missedWithin: '10m' } as const
      const { view } = await errand.schedules.put(name, tick, {}, options)
      firsts.set(name, Date.parse(view.nextAt ?? ''))
    }
    const kills = await strike(roots, seconds, seeded(seed))
    for (const name of names) await errand.schedules.pause(name)
    await drained(errand)
    return {
      store,
      durability: errand.store.about.durability,
      kills,
      ...(await judge(errand, firsts, new Ledger(ledgerFile))),
      against: (await errand.verify()).map(({ law, detail }) => `${law}: ${detail}`),
    }
  } finally {
    clearInterval(supervising)
    await Promise.all(roots.map((root) => root.stop(10_000)))
  }
}

const environment = (folder: string, url: string, ledger: string) => ({
  ERRAND_DATA: folder,
  ERRAND_STORE: url,
  ERRAND_APP: join(import.meta.dirname, 'tick.app.ts'),
  ERRAND_LEASE: '2s',
  ERRAND_RENEW: '500ms',
  ERRAND_SWEEP: '500ms',
  ERRAND_GRACE: '2s',
  ERRAND_PROCESSES: '1',
  ERRAND_LOG_LEVEL: 'warn',
  CHAOS_LEDGER: ledger,
})

async function awake(errand: Errand, count: number): Promise<void> {
  while ((await errand.workers()).filter(({ alive }) => alive).length < count) await sleep(50)
}

/** Only pids that this run has started are ever killed. */
async function strike(
  roots: readonly Root[],
  seconds: number,
  random: () => number,
): Promise<number> {
  const until = performance.now() + seconds * SECOND
  let kills = 0
  while (performance.now() < until) {
    await sleep(KILL_MIN_MS + random() * (KILL_MAX_MS - KILL_MIN_MS))
    const root = roots[Math.floor(random() * roots.length)]
    if (root === undefined || root.isDown) continue
    process.kill(root.pid, 'SIGKILL')
    kills++
  }
  return kills
}

async function drained(errand: Errand): Promise<void> {
  const until = performance.now() + DRAIN_MAX_MS
  const live = async () =>
    (await errand.queues()).some(
      ({ scheduled, ready, running, waiting }) => scheduled + ready + running + waiting > 0,
    )
  while ((await live()) && performance.now() < until) await sleep(100)
}

async function judge(
  errand: Errand,
  firsts: ReadonlyMap<string, number>,
  ledger: Ledger,
): Promise<Pick<Tale, 'moments' | 'runs' | 'lateMs' | 'broken'>> {
  const broken: Tale['broken'] = { lost: [], beyond: [], twice: [], missed: [], notRun: [] }
  const due = new Map<string, { name: string; at: number }>()
  for (const view of await errand.schedules.list()) {
    const { name, last, fired, missedCount } = view
    const [first, until] = [firsts.get(name) ?? 0, Date.parse(last?.at ?? '')]
    for (let at = first; at <= until; at += SECOND) due.set(idOf(name, at), { name, at })
    const count = (until - first) / SECOND + 1
    if (fired !== count) broken.twice.push(`${name} fired ${fired} times for ${count} moments`)
    if (missedCount > 0) broken.missed.push(`${name} missed ${missedCount}`)
  }
  const runs = ledger.read().flatMap((entry) => (entry.what === 'begin' ? [entry.id] : []))
  const ran = new Set(runs)
  const late: number[] = []
  const there = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const { jobs, next } = await errand.list({}, 200, cursor)
    for (const { id, state, createdAt } of jobs) {
      const moment = due.get(id)
      there.add(id)
      if (moment === undefined) broken.beyond.push(id)
      else late.push(Date.parse(createdAt) - moment.at)
      if (state !== 'completed' || !ran.has(id)) broken.notRun.push(`${id} ${state}`)
    }
    if (next === undefined) break
    cursor = next
  }
  for (const [id, { name, at }] of due)
    if (!there.has(id)) broken.lost.push(`${name} ${new Date(at).toISOString()}`)
  const lateMs = { p50: percentile(late, 0.5), p99: percentile(late, 0.99), max: Math.max(...late) }
  return { moments: due.size, runs: runs.length, lateMs, broken }
}
