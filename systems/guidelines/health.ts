import type { Desk } from 'errand'
import { QUEUE } from './contract.ts'

const PATIENCE_MS = 2000
/** Of those that wait so many are looked at. */
const LOOKED_AT = 100

/** How it stands, in exactly these members. One store is both the database and the queue. */
export type Health = {
  status: 'healthy' | 'degraded' | 'unhealthy'
  database: Connection
  redis: Connection
  /** Alive: those whose lease runs. Active: those of them that run a job just now. */
  workers: { active: number; total: number }
  queue_size: number
}
type Connection = 'connected' | 'disconnected'

export async function inspect(errand: Seen): Promise<Health> {
  const seen = await within(PATIENCE_MS, look(errand)).catch(() => undefined)
  if (seen === undefined)
    return {
      status: 'unhealthy',
      database: 'disconnected',
      redis: 'disconnected',
      workers: { active: 0, total: 0 },
      queue_size: 0,
    }
  const { queues, workers, isStuck } = seen
  const alive = workers.filter((worker) => worker.alive && takesOurs(worker.queues))
  const size = queueSize(queues)
  return {
    status: isStuck || (size > 0 && alive.length === 0) ? 'degraded' : 'healthy',
    database: 'connected',
    redis: 'connected',
    workers: { active: alive.filter(({ running }) => running > 0).length, total: alive.length },
    queue_size: size,
  }
}

type Seen = Pick<Desk, 'queues' | 'workers' | 'list'>

/** Stuck: a job waits for a worker that can run it, as those that are here cannot. */
async function look(errand: Seen) {
  const [queues, workers] = await Promise.all([errand.queues(), errand.workers()])
  const isStuck = ownQueue(queues)?.waiting ? await waitsForHandler(errand) : false
  return { queues, workers, isStuck }
}

async function waitsForHandler(errand: Seen): Promise<boolean> {
  const { jobs } = await errand.list({ queue: QUEUE, state: 'waiting' }, LOOKED_AT)
  return jobs.some(({ waitingFor }) => waitingFor === 'handler')
}

type Queues = Awaited<ReturnType<Desk['queues']>>

export const ownQueue = (queues: Queues) => queues.find(({ queue }) => queue === QUEUE)

/** Those that wait: in line, for their next attempt, or for the LLM. */
export function queueSize(queues: Queues): number {
  const { ready = 0, scheduled = 0, waiting = 0 } = ownQueue(queues) ?? {}
  return ready + scheduled + waiting
}

const takesOurs = (queues: readonly string[] = []) => queues.length === 0 || queues.includes(QUEUE)

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('no answer in time')), ms)
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
