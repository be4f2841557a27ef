import { median } from '../lib/statistics.ts'
import type { FigureName } from './names.ts'
import type { Results } from './results.ts'
import type { ServerKind } from './systems.ts'

/** A figure of Errand that must hold, by itself or over the best of some peers in the same round. */
type Target = {
  name: string
  server: ServerKind
  of: readonly FigureName[]
  over?: { peers: readonly string[]; figures: readonly FigureName[] }
  least?: number
  most?: number
}

export type Verdict = {
  name: string
  server: ServerKind
  bound: string
  value: number
  runs: readonly number[]
  passed: boolean
}

const ONE = 'enqueue, one awaiting caller'
const HUNDRED = 'enqueue, 100 concurrent callers'
const BULK: FigureName[] = ['enqueue, bulk of 1000', 'enqueue, bulk of 1000, 4 callers']
const AT_100 = 'process, inline, concurrency 100'
const AT_10 = 'process, inline, concurrency 10'
const EXECUTORS = 'process, worker with executors'
const BYTES = 'bytes per waiting job'
const BACKLOG = 'many waiting / few waiting'

const ON_POSTGRES = ['pg-boss', 'graphile-worker', 'graphile-local-queue', 'bullmq-postgres']

const redis = (
  name: string,
  of: FigureName | FigureName[],
  bound: Pick<Target, 'least' | 'most'>,
  over?: Target['over'],
) => target('redis', name, of, bound, over)
const postgres = (
  name: string,
  of: FigureName | FigureName[],
  bound: Pick<Target, 'least' | 'most'>,
  over?: Target['over'],
) => target('postgres', name, of, bound, over)
const the = (peers: string | string[], ...figures: FigureName[]) => ({
  peers: [peers].flat(),
  figures,
})

function target(
  server: ServerKind,
  name: string,
  of: FigureName | FigureName[],
  bound: Pick<Target, 'least' | 'most'>,
  over?: Target['over'],
): Target {
  return { server, name, of: [of].flat(), ...bound, ...(over && { over }) }
}

export const TARGETS: readonly Target[] = [
  redis('one awaiting caller / BullMQ', ONE, { least: 1.5 }, the('bullmq', ONE)),
  redis('100 callers / BullMQ', HUNDRED, { least: 6 }, the('bullmq', HUNDRED)),
  redis('bulk / BullMQ', BULK, { least: 8 }, the('bullmq', HUNDRED, ...BULK)),
  redis('inline at 100 / BullMQ', AT_100, { least: 9 }, the('bullmq', AT_100)),
  redis('inline at 10 / BullMQ', AT_10, { least: 5 }, the('bullmq', AT_10)),
  redis('executors / BullMQ at 100', EXECUTORS, { least: 6 }, the('bullmq', AT_100)),
  redis('inline at 100 / Celery', AT_100, { least: 60 }, the('celery', AT_100)),
  redis('inline at 100 / RQ', AT_100, { least: 60 }, the('rq', AT_100)),
  redis('idle pickup p50 in ms', 'idle pickup, p50', { most: 1 }),
  redis('idle pickup p99 in ms', 'idle pickup, p99', { most: 5 }),
  redis('pickup at 5 000/s p99 in ms', 'pickup at 5 000/s, p99', { most: 10 }),
  redis('claim, many / few waiting', BACKLOG, { least: 0.85 }),
  redis('bytes per job / BullMQ', BYTES, { most: 0.5 }, the('bullmq', BYTES)),

  postgres('one awaiting caller / best', ONE, { least: 2.5 }, the(ON_POSTGRES, ONE)),
  postgres('100 callers / best', HUNDRED, { least: 20 }, the(ON_POSTGRES, HUNDRED)),
  postgres('bulk / best', BULK, { least: 2.5 }, the(ON_POSTGRES, HUNDRED, ...BULK)),
  postgres(
    'inline at 100 / local queue',
    AT_100,
    { least: 2.2 },
    the('graphile-local-queue', AT_100),
  ),
  postgres('inline at 100 / pg-boss', AT_100, { least: 4 }, the('pg-boss', AT_100)),
  postgres(
    'inline at 10 / graphile-worker, BullMQ',
    AT_10,
    { least: 8 },
    the(['graphile-worker', 'bullmq-postgres'], AT_10),
  ),
  postgres(
    'executors / local queue at 100',
    EXECUTORS,
    { least: 1.5 },
    the('graphile-local-queue', AT_100),
  ),
  postgres('idle pickup p50 in ms', 'idle pickup, p50', { most: 2.5 }),
  postgres('idle pickup p99 in ms', 'idle pickup, p99', { most: 8 }),
  postgres('pickup at 5 000/s p99 in ms', 'pickup at 5 000/s, p99', { most: 10 }),
  postgres('claim, many / few waiting', BACKLOG, { least: 0.7 }),
  postgres('snapshot held / no snapshot', 'snapshot held / no snapshot', { least: 0.3 }),
  postgres('bytes per job / smallest peer', BYTES, { most: 0.9 }, the(ON_POSTGRES, BYTES)),
]

/** A target for which something was not measured has no runs, and has not passed. */
export function judge({ name, server, of, over, least, most }: Target, results: Results): Verdict {
  // More is better, but of bytes.
  const best = most === undefined ? Math.max : Math.min
  const runs = results.each((value) => {
    const own = best(...of.map((figure) => value(`errand-${server}`, figure)))
    if (over === undefined) return own
    const peers = over.peers.flatMap((peer) => over.figures.map((figure) => value(peer, figure)))
    return own / best(...peers)
  })
  const value = median(runs)
  const bound = least === undefined ? `${over ? '≤' : '<'} ${most}` : `≥ ${least}`
  const isUnder = most === undefined || (over ? value <= most : value < most)
  const passed = isUnder && value >= (least ?? -Infinity)
  return { name, server, bound, value, runs, passed }
}
