import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { drain, insist } from './arena.ts'
import { ErrandSystem, type Layout } from './errand.ts'
import { judge, type Verdict } from './judge.ts'
import type { Ledger } from './ledger.ts'
import type { Arena } from './system.ts'
import { percentile } from '../lib/statistics.ts'
import type { StoreName } from '../../test/support/stores.ts'

export type Siege = { store: StoreName; jobs: number; kills: number }

/** What came of a siege. */
export type Toll = {
  store: string
  about: Readonly<Record<string, string>>
  verdict: Verdict
  rows: number
  remaining: number
  /** Requests that were sent again under their key. */
  repeated: number
  storeKills: number
  workerKills: number
  /** From the return of the database to the next acceptance, and to the next begin of a job. */
  acceptsMs: number[]
  beginsMs: number[]
  seconds: number
  against: string[]
}

const LEAN: Layout = {
  about: '2 workers of 8 places in 1 process, 1 server',
  servers: ['serve'],
  others: ['worker', 'worker'],
}
/** Over HTTP under a key, and through the library under an id of their own. */
const CALLERS = { submit: 8, enqueue: 40 } as const
const RESTART_EVERY_MS = 250
const WORKER_KILL_EVERY_MS = 3000
/** How long a caller insists on one job. */
const PATIENCE_MS = 120_000

/**
 * Jobs come in until so many are accepted. Meanwhile the database is killed with -9 so many
 * times, and one worker or the other every few seconds.
 */
export async function besiege(arena: Arena, { store, jobs, kills }: Siege): Promise<Toll> {
  await using system = new ErrandSystem(arena, store, LEAN)
  const { ledger } = arena
  await system.start()
  const from = performance.now()
  const supervising = setInterval(() => system.restart(), RESTART_EVERY_MS)
  const work = { handed: 0, accepted: 0, repeated: 0 }
  const callers = (['submit', 'enqueue'] as const).flatMap((how) =>
    Array.from({ length: CALLERS[how] }, () => call(system, how, ledger, jobs, work)),
  )
  const returns: number[] = []
  let workerKills = 0
  const killing = setInterval(() => {
    const workers = system.targets('worker')
    const pid = workers[workerKills % workers.length]
    if (pid !== undefined && send(pid)) workerKills++
  }, WORKER_KILL_EVERY_MS)
  for (let kill = 1; kill <= kills; kill++) {
    while (work.accepted < (jobs * kill) / (kills + 1)) await sleep(5)
    await system.server?.kill()
    await system.restore()
    returns.push(Date.now())
  }
  await Promise.all(callers)
  clearInterval(killing)
  const remaining = await drain(system)
  const seconds = (performance.now() - from) / 1000
  clearInterval(supervising)
  const endings = await system.endings()
  return {
    store,
    about: system.about,
    verdict: judge(ledger, endings),
    rows: endings.size,
    remaining,
    repeated: work.repeated,
    storeKills: returns.length,
    workerKills,
    acceptsMs: resumes(ledger, 'ack', returns),
    beginsMs: resumes(ledger, 'begin', returns),
    seconds,
    against: await system.verify(),
  }
}

type Work = { handed: number; accepted: number; repeated: number }

async function call(
  system: ErrandSystem,
  how: keyof typeof CALLERS,
  ledger: Ledger,
  jobs: number,
  work: Work,
): Promise<void> {
  while (work.handed < jobs) {
    work.handed++
    const submission = { key: randomUUID(), kind: 'short', input: { ms: 1 } } as const
    ledger.write({ what: 'intent', key: submission.key, kind: 'short' })
    let tries = 0
    const id = await insist(() => {
      if (tries++ > 0) work.repeated++
      return system[how](submission)
    }, performance.now() + PATIENCE_MS)
    if (id === undefined) throw new Error('a job was not accepted in two minutes')
    ledger.write({ what: 'ack', key: submission.key, kind: 'short', id })
    work.accepted++
  }
}

/** From each of these moments to the next entry of a kind. */
function resumes(ledger: Ledger, what: 'ack' | 'begin', moments: readonly number[]): number[] {
  const entries = ledger.read().filter((entry) => entry.what === what)
  return moments.flatMap((moment) => {
    const next = entries.find(({ at }) => at >= moment)
    return next === undefined ? [] : [next.at - moment]
  })
}

function send(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

/** Accepted jobs that are nowhere or not ended, rows that nobody was told of, effects that count twice. */
export function findings({ verdict, rows, remaining, against }: Toll): string[] {
  return [
    ...Object.entries(verdict.broken).flatMap(([law, ids]) =>
      ids.slice(0, 5).map((id) => `${law}: ${id} (of ${ids.length})`),
    ),
    ...(rows === verdict.acked ? [] : [`${rows} rows for ${verdict.acked} accepted jobs`]),
    ...(remaining === 0 ? [] : [`${remaining} jobs have not ended`]),
    ...against,
  ]
}

export const spread = (ms: readonly number[]): string =>
  ms.length === 0 ? '–' : `${percentile(ms, 0.5).toFixed(0)} / ${Math.max(...ms).toFixed(0)}`
