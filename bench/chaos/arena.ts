import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import { type Hit, schedule, strike } from './faults.ts'
import { type Ending, judge, type Verdict } from './judge.ts'
import { type KindName, KINDS } from './kinds.ts'
import type { Ledger } from './ledger.ts'
import { seeded } from '../lib/random.ts'
import { percentile } from '../lib/statistics.ts'
import type { Submission, System } from './system.ts'

export type Options = { seed: number; seconds: number; rate: number; leaseMs: number }

export type Outcome = {
  system: string
  about: Readonly<Record<string, string>>
  options: Options
  verdict: Verdict
  /** Ended otherwise than they should, but hit by a fault at every one of three crashes. */
  crashedByFaults: number
  ended: Record<string, number>
  remaining: number
  drainS: number
  recovery: Record<string, { count: number; p50Ms: number; p99Ms: number; maxMs: number }>
  exposure: Record<string, number>
  against: string[]
}

/** The last fifth of a run is calm, so that what was begun can end. */
const CALM = 0.8
const DRAIN_MAX_S = 120
const RESTART_EVERY_MS = 500
const CRASHES_MAX = 3

/** One system under load and faults, and what came of it. */
export async function contest(system: System, ledger: Ledger, options: Options): Promise<Outcome> {
  const { seed, seconds, leaseMs } = options
  await system.start()
  const hits: Hit[] = []
  // Whatever died is back within the second, as under any supervisor, until all is over.
  const supervising = setInterval(() => system.restart(), RESTART_EVERY_MS)
  const striking = strike(system, ledger, schedule(seed, seconds * CALM, leaseMs), (hit) =>
    hits.push(hit),
  )
  await produce(system, ledger, options)
  await striking
  const from = performance.now()
  const remaining = await drain(system)
  clearInterval(supervising)
  const drainS = (performance.now() - from) / 1000
  const endings = await system.endings()
  const verdict = judge(ledger, endings, system.name === 'Errand')
  const excused = excuse(verdict, hits)
  return {
    system: system.name,
    about: system.about,
    options,
    verdict,
    crashedByFaults: excused,
    ended: countEnds(endings),
    remaining,
    drainS,
    recovery: recoveries(ledger, hits),
    exposure: expose(hits),
    against: await system.verify(),
  }
}

/** Hands in jobs at a rate, and each again and again under its key until it is accepted. */
async function produce(
  system: System,
  ledger: Ledger,
  { seed, seconds, rate, leaseMs }: Options,
): Promise<void> {
  const random = seeded(seed)
  const until = performance.now() + seconds * 1000
  const pending = new Set<Promise<void>>()
  let twin: Submission | undefined
  while (performance.now() < until) {
    const kind = draw(system.kinds, random())
    const input = { ms: lengthOf(kind, random()), failures: 1 + Math.floor(random() * 2) }
    const pair = kind === 'unique' ? twin?.unique : undefined
    const unique = kind === 'unique' ? { unique: pair ?? randomUUID() } : {}
    const submission: Submission = { key: randomUUID(), kind, input, ...unique }
    if (kind === 'unique') twin = pair === undefined ? submission : undefined
    const handing = hand(system, ledger, submission, until, random() * leaseMs).finally(() =>
      pending.delete(handing),
    )
    pending.add(handing)
    await sleep(-Math.log(1 - random()) * (1000 / rate))
  }
  await Promise.all(pending)
}

const lengthOf = (kind: KindName, draw: number) =>
  kind === 'medium' ? 50 + draw * 150 : 1 + draw * 4

async function hand(
  system: System,
  ledger: Ledger,
  submission: Submission,
  until: number,
  cancelAfterMs: number,
): Promise<void> {
  const { key, kind } = submission
  ledger.write({ what: 'intent', key, kind })
  const id = await insist(() => system.submit(submission), until + 20_000)
  if (id === undefined) return
  ledger.write({ what: 'ack', key, kind, id })
  if (kind !== 'unwanted') return
  await sleep(cancelAfterMs)
  await insist(() => system.cancel(id), until + 20_000)
}

export async function insist<T>(ask: () => Promise<T>, until: number): Promise<T | undefined> {
  while (performance.now() < until) {
    try {
      return await ask()
    } catch {
      await sleep(100)
    }
  }
  return undefined
}

function draw(kinds: readonly KindName[], at: number): KindName {
  const total = kinds.reduce((sum, kind) => sum + KINDS[kind].share, 0)
  let left = at * total
  for (const kind of kinds) if ((left -= KINDS[kind].share) < 0) return kind
  return 'short'
}

/** How many are left when nothing more happens, or time is up. */
export async function drain(system: System): Promise<number> {
  for (const until = performance.now() + DRAIN_MAX_S * 1000; ; await sleep(250)) {
    const live = await system.live().catch(() => -1)
    if (live === 0 || performance.now() > until) return live
  }
}

/** A job that was killed three times by the run itself has failed by the rules: that is counted apart. */
function excuse({ broken }: Verdict, hits: readonly Hit[]): number {
  const times = new Map<string, number>()
  for (const { fault, ids } of hits)
    if (fault !== 'sigterm') for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1)
  const isExcused = (line: string) =>
    line.includes('failed crashed') && (times.get(line.split(' ')[0] ?? '') ?? 0) >= CRASHES_MAX
  const excused = broken.wrongEnd.filter(isExcused)
  broken.wrongEnd = broken.wrongEnd.filter((line) => !isExcused(line))
  return excused.length
}

function countEnds(endings: ReadonlyMap<string, Ending>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { end } of endings.values()) counts[end] = (counts[end] ?? 0) + 1
  return counts
}

/** From a fault to the next begin of the jobs it hit. */
function recoveries(ledger: Ledger, hits: readonly Hit[]): Outcome['recovery'] {
  const begins = new Map<string, number[]>()
  for (const entry of ledger.read())
    if (entry.what === 'begin') begins.set(entry.id, [...(begins.get(entry.id) ?? []), entry.at])
  const spans = new Map<string, number[]>()
  for (const { fault, at, ids } of hits)
    for (const id of ids) {
      const again = begins.get(id)?.find((begin) => begin > at)
      if (again !== undefined) spans.set(fault, [...(spans.get(fault) ?? []), again - at])
    }
  return Object.fromEntries(
    [...spans].map(([fault, ms]) => [
      fault,
      {
        count: ms.length,
        p50Ms: percentile(ms, 0.5),
        p99Ms: percentile(ms, 0.99),
        maxMs: Math.max(...ms),
      },
    ]),
  )
}

function expose(hits: readonly Hit[]): Record<string, number> {
  const exposure: Record<string, number> = {}
  for (const { fault, ids } of hits) {
    exposure[`${fault} faults`] = (exposure[`${fault} faults`] ?? 0) + 1
    exposure['jobs in flight when hit'] = (exposure['jobs in flight when hit'] ?? 0) + ids.length
  }
  return exposure
}
