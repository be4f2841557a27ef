import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { STATES } from '../job/state.ts'
import type { Tally } from '../store/contract.ts'
import { isOverloaded } from '../watch/workers.ts'
import type { Env } from './app.ts'
import { json } from './document.ts'
import type { Parts } from './parts.ts'
import { Health, type HealthView, Probe } from './schemas.ts'

const live = createRoute({
  method: 'get',
  path: '/health/live',
  responses: { 200: json('The process answers', Probe) },
})

const ready = createRoute({
  method: 'get',
  path: '/health/ready',
  responses: { 200: json('Send requests here', Probe), 503: json('Send them elsewhere', Probe) },
})

const look = createRoute({
  method: 'get',
  path: '/health',
  responses: {
    200: json('How it stands', Health),
    503: json('The store cannot be read, or a process dies as soon as it is started', Health),
  },
})

/** Questions of a supervisor, open to all. */
export const probes = ({ errand: { watch }, settings: { draining } }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(live, (c) => c.json({ status: 'ok' as const }, 200))
    .openapi(ready, async (c) => {
      const isUp =
        !draining?.aborted &&
        (await watch.ping().then(
          () => true,
          () => false,
        ))
      return isUp
        ? c.json({ status: 'ok' as const }, 200)
        : c.json({ status: 'down' as const }, 503)
    })

/** How it stands, for people and dashboards. */
export const health = (parts: Parts) =>
  new OpenAPIHono<Env>().openapi(look, async (c) => {
    const view = await inspect(parts)
    return c.json(view, view.status === 'down' || view.troubles ? 503 : 200)
  })

async function inspect({
  errand: { watch, store },
  settings: { version, build, troubles: find = () => [] },
}: Parts): Promise<HealthView> {
  const { kind, durability } = store.about
  const here = { store: { kind, durability }, version, ...build }
  try {
    const [tallies, workers, warnings] = await Promise.all([
      watch.queues(),
      watch.workers(),
      watch.warnings(),
    ])
    const queues = sum(tallies)
    const alive = workers.filter((worker) => worker.alive).length
    const overloaded = workers.filter(isOverloaded).length
    const troubles = find()
    const isIll = troubles.length > 0 || (queues.ready > 0 && alive === overloaded)
    return {
      status: isIll ? 'degraded' : 'ok',
      ...here,
      ...(troubles.length > 0 && { troubles }),
      ...(warnings.length > 0 && { warnings }),
      workers: { alive, ...(overloaded > 0 && { overloaded }) },
      queues,
    }
  } catch {
    return { status: 'down', ...here }
  }
}

function sum(tallies: readonly Tally[]) {
  const totals = {
    scheduled: 0,
    ready: 0,
    running: 0,
    waiting: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
  }
  for (const tally of tallies) for (const state of STATES) totals[state] += tally[state]
  return totals
}
