import type { WorkerId } from './job.ts'

/**
 * How a worker is, with its executors: said among its metrics at each renewal, under its id, and gone with it.
 * `overloaded` counts executors that cannot keep up, `lateMs` is by how much the event loop of one was late at worst,
 * `cpu` how many cores they kept busy.
 */
export type Vitals = { overloaded: number; memoryMb: number; lateMs: number; cpu: number }

type Gauge = {
  name: string
  help: string
  type: string
  aggregator: string
  values: { labels: Record<string, string>; value: number }[]
}

const FIELDS = ['overloaded', 'memoryMb', 'lateMs', 'cpu'] as const
const nameOf = (field: keyof Vitals) => `errand_vitals_${field}`

export const vitalsGauges = (worker: WorkerId, vitals: Vitals): Gauge[] =>
  FIELDS.map((field) => ({
    name: nameOf(field),
    help: field,
    type: 'gauge',
    aggregator: 'omit',
    values: [{ labels: { worker }, value: vitals[field] }],
  }))

/** By the worker that said so; what cannot be read says nothing. */
export function readVitals(snapshots: readonly unknown[]): ReadonlyMap<WorkerId, Partial<Vitals>> {
  const found = new Map<WorkerId, Partial<Vitals>>()
  for (const { name, values } of snapshots.filter(Array.isArray).flat().filter(isGauge)) {
    const field = FIELDS.find((one) => nameOf(one) === name)
    if (field === undefined) continue
    for (const { labels, value } of values) {
      const { worker = '' } = labels
      found.set(worker, { ...found.get(worker), [field]: value })
    }
  }
  return found
}

const isGauge = (metric: unknown): metric is Gauge =>
  typeof metric === 'object' &&
  metric !== null &&
  'name' in metric &&
  'values' in metric &&
  Array.isArray(metric.values)
