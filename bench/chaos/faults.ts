import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../lib/random.ts'
import type { Entry, Ledger } from './ledger.ts'
import type { Fault, System } from './system.ts'

/** Mean gap between two faults of a kind, in seconds. */
export const GAPS: Readonly<Record<Fault, number>> = {
  executor: 2,
  worker: 7,
  manager: 20,
  api: 10,
  freeze: 15,
  sigterm: 12,
  store: 20,
}

const FAULTS: readonly Fault[] = [
  ...(['executor', 'worker', 'manager', 'api', 'freeze', 'sigterm'] as const),
  'store',
]

export type Hit = { fault: Fault; at: number; ids: readonly string[] }

type Planned = { fault: Fault; at: number; pick: number; ms: number }

/** Which faults come when: the same for the same seed, one stream of numbers for each kind. */
export function schedule(seed: number, seconds: number, leaseMs: number): Planned[] {
  return FAULTS.flatMap((fault, i) => {
    const random = seeded(seed * 1000 + i)
    const planned: Planned[] = []
    for (let at = 0; ;) {
      at += -Math.log(1 - random()) * GAPS[fault]
      if (at >= seconds) return planned
      planned.push({ fault, at, pick: random(), ms: (1 + 3 * random()) * leaseMs })
    }
  }).toSorted((a, b) => a.at - b.at)
}

/** Does to a system what was planned, and notes which jobs it hit. */
export async function strike(
  system: System,
  ledger: Ledger,
  plan: readonly Planned[],
  onHit: (hit: Hit) => void,
): Promise<void> {
  const began = performance.now()
  for (const { fault, at, pick, ms } of plan) {
    await sleep(Math.max(0, at * 1000 - (performance.now() - began)))
    const targets = system.targets(fault)
    const pid = targets[Math.floor(pick * targets.length)]
    if (pid === undefined) continue
    const hit = system.family(pid)
    const ids = inFlight(ledger.read(), hit)
    if (!signal(pid, fault === 'freeze' ? 'SIGSTOP' : fault === 'sigterm' ? 'SIGTERM' : 'SIGKILL'))
      continue
    onHit({ fault, at: Date.now(), ids })
    if (fault === 'freeze') setTimeout(() => signal(pid, 'SIGCONT'), ms)
  }
}

/** The jobs that one of these processes has begun, and nobody since, and has not ended. */
function inFlight(entries: readonly Entry[], pids: readonly number[]): string[] {
  const holders = new Map<string, number>()
  for (const entry of entries)
    if (entry.what === 'begin') holders.set(entry.id, entry.pid)
    else if (entry.what === 'end') holders.delete(entry.id)
  return [...holders].filter(([, pid]) => pids.includes(pid)).map(([id]) => id)
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
