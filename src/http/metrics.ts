import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { STATES } from '../job/state.ts'
import type { QueueView } from '../watch/queues.ts'
import type { WorkerView } from '../watch/workers.ts'
import type { Env } from './app.ts'
import type { Parts, ServerSettings } from './parts.ts'

// People measure against 10 and 30 seconds: a boundary stands at each.
const BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60]

/** How long requests took. It lives as long as the server; all else is read when asked for. */
export class Requests {
  readonly registry = new Registry()
  readonly #seconds = new Histogram({
    name: 'errand_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['route', 'method', 'status'],
    buckets: BUCKETS,
    registers: [this.registry],
  })

  /** Measures each request and tells the lent listener of it. */
  observe({ onRequest }: ServerSettings): MiddlewareHandler<Env> {
    return async (c, next) => {
      const start = performance.now()
      await next()
      const ms = performance.now() - start
      const { method } = c.req
      const { status } = c.res
      // The path as the route spells it: an id in a label would make a series of its own.
      const route = matchedRoutes(c).findLast((matched) => matched.method !== 'ALL')?.path ?? 'none'
      this.#seconds.observe({ route, method, status }, ms / 1000)
      onRequest?.({ requestId: c.get('requestId'), method, route, status, ms })
    }
  }
}

const scrape = createRoute({
  method: 'get',
  path: '/metrics',
  responses: {
    200: { description: 'Prometheus text', content: { 'text/plain': { schema: z.string() } } },
  },
})

export const metrics = ({ errand: { watch }, settings: { version } }: Parts, requests: Requests) =>
  new OpenAPIHono<Env>().openapi(scrape, async (c) => {
    const [snapshots, tallies, workers] = await Promise.all([
      watch.metrics(),
      watch.queues(),
      watch.workers(),
    ])
    const parts = [measure(tallies, workers, version), requests.registry, merge(snapshots)]
    const texts = await Promise.all(parts.map((registry) => registry.metrics()))
    return c.text(texts.join(''), 200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE })
  })

/** Workers leave what `getMetricsAsJSON` gives; a snapshot that cannot be read is left out. */
const merge = (snapshots: readonly unknown[]): Registry =>
  AggregatorRegistry.aggregate(snapshots.filter(Array.isArray))

function measure(
  tallies: readonly QueueView[],
  workers: readonly WorkerView[],
  version: string,
): Registry {
  const registers = [new Registry()] as const
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers: [...registers] })
  const accepted = new Counter({
    name: 'errand_jobs_accepted_total',
    help: 'Jobs accepted since the store began',
    labelNames: ['queue'],
    registers: [...registers],
  })
  const jobs = gauge('errand_jobs', 'Jobs in each state', 'queue', 'state')
  const oldest = gauge(
    'errand_oldest_ready_seconds',
    'Age of the job that has been ready longest',
    'queue',
  )
  const paused = gauge('errand_queue_paused', 'Whether a queue hands nothing out', 'queue')
  for (const tally of tallies) {
    const { queue, oldestReadyAt } = tally
    paused.set({ queue }, tally.paused ? 1 : 0)
    accepted.inc({ queue }, tally.accepted)
    for (const state of STATES) jobs.set({ queue, state }, tally[state])
    oldest.set(
      { queue },
      oldestReadyAt === undefined ? 0 : Math.max(0, Date.now() - oldestReadyAt) / 1000,
    )
  }
  const alive = workers.filter((worker) => worker.alive)
  gauge('errand_workers', 'Workers alive').set(alive.length)
  const running = gauge('errand_worker_running', 'Jobs that a worker runs', 'worker')
  const places = gauge('errand_worker_places', 'Jobs that a worker runs at most', 'worker')
  const overloaded = gauge(
    'errand_worker_executors_overloaded',
    'Executors that cannot keep up',
    'worker',
  )
  const memory = gauge('errand_worker_memory_bytes', 'Memory of a worker’s executors', 'worker')
  const cpu = gauge(
    'errand_worker_cpu_cores',
    'Cores that a worker’s executors keep busy',
    'worker',
  )
  const late = gauge(
    'errand_worker_loop_late_seconds',
    'Lateness of the latest event loop',
    'worker',
  )
  for (const one of alive) {
    const worker = { worker: one.id }
    running.set(worker, one.running)
    places.set(worker, one.concurrency ?? 0)
    overloaded.set(worker, one.overloaded ?? 0)
    memory.set(worker, (one.memoryMb ?? 0) * 1_048_576)
    cpu.set(worker, one.cpu ?? 0)
    late.set(worker, (one.lateMs ?? 0) / 1000)
  }
  gauge('errand_build_info', 'What is running', 'version', 'node').set(
    { version, node: process.version },
    1,
  )
  return registers[0]
}
