import type { WorkerId } from './job.ts'

/**
 * How many of a worker's executors cannot keep up, as it says among its metrics: a gauge under the worker's id, which
 * is not summed over workers and gone with them.
 */
const NAME = 'errand_worker_executors_overloaded'

type Gauge = {
  name: string
  help: string
  type: string
  aggregator: string
  values: { labels: Record<string, string>; value: number }[]
}

export const overloadGauge = (worker: WorkerId, value: number): Gauge => ({
  name: NAME,
  help: 'Executors that cannot keep up',
  type: 'gauge',
  aggregator: 'omit',
  values: [{ labels: { worker }, value }],
})

/** By the worker that said so; what cannot be read says nothing. */
export function readOverloads(snapshots: readonly unknown[]): ReadonlyMap<WorkerId, number> {
  const gauges = snapshots.filter(Array.isArray).flat().filter(isGauge)
  return new Map(
    gauges.flatMap(({ values }) =>
      values.map(({ labels: { worker = '' }, value }) => [worker, value] as const),
    ),
  )
}

const isGauge = (metric: unknown): metric is Gauge =>
  typeof metric === 'object' &&
  metric !== null &&
  'name' in metric &&
  metric.name === NAME &&
  'values' in metric &&
  Array.isArray(metric.values)
