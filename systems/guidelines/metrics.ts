import type { Desk } from 'errand'
import { z } from 'zod'
import { guidelineChecklist, guidelineChecklistCalledBack } from './contract.ts'
import { ownQueue, queueSize } from './health.ts'

const Metric = z.object({
  name: z.string(),
  values: z.array(
    z.object({
      value: z.number(),
      metricName: z.string().optional(),
      labels: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
})
const Snapshots = z.array(z.array(Metric))
type Sample = z.infer<typeof Metric>['values'][number]

const JOBS = new Set<unknown>([guidelineChecklist.name, guidelineChecklistCalledBack.name])

/**
 * The figures under the names that were asked for, in Prometheus' text. What workers count is in the store with every
 * renewal of their lease: 5 seconds late at most.
 */
export async function measure(errand: Pick<Desk, 'metrics' | 'queues'>): Promise<string> {
  const [snapshots, queues] = await Promise.all([errand.metrics(), errand.queues()])
  const metrics = Snapshots.parse(snapshots).flat()
  const samples = (name: string) =>
    metrics.flatMap((metric) =>
      metric.name === name ? metric.values.filter(({ labels }) => JOBS.has(labels['job'])) : [],
    )
  const attempts = samples('errand_attempts_total')
  const ended = (outcome: string) =>
    sum(attempts.filter(({ labels }) => labels['outcome'] === outcome))
  return [
    ...histogram('job_processing_seconds', 'Time a run took', samples('errand_run_seconds')),
    ...one('job_success_total', 'counter', 'Jobs COMPLETED', ended('completed')),
    ...one('job_failure_total', 'counter', 'Jobs FAILED', ended('failed') + ended('cancelled')),
    ...one('job_retry_total', 'counter', 'Attempts to be tried again', ended('scheduled')),
    ...one('queue_size_current', 'gauge', 'Jobs that wait', queueSize(queues)),
    ...one('dlq_size', 'gauge', 'Dead letters to be reviewed', ownQueue(queues)?.failed ?? 0),
    '',
  ].join('\n')
}

const head = (name: string, type: string, help: string) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
]

const one = (name: string, type: string, help: string, value: number) => [
  ...head(name, type, help),
  `${name} ${value}`,
]

/** All jobs and workers as one: buckets add up by their bound. */
function histogram(name: string, help: string, samples: Sample[]): string[] {
  const buckets = new Map<string, number>([['+Inf', 0]])
  let [total, count] = [0, 0]
  for (const { metricName = '', labels, value } of samples) {
    const bound = String(labels['le'])
    if (metricName.endsWith('_bucket')) buckets.set(bound, (buckets.get(bound) ?? 0) + value)
    if (metricName.endsWith('_sum')) total += value
    if (metricName.endsWith('_count')) count += value
  }
  const lines = [...buckets]
    .toSorted(([a], [b]) => toNumber(a) - toNumber(b))
    .map(([le, value]) => `${name}_bucket{le="${le}"} ${value}`)
  return [
    ...head(name, 'histogram', help),
    ...lines,
    `${name}_sum ${total}`,
    `${name}_count ${count}`,
  ]
}

const toNumber = (bound: string) => (bound === '+Inf' ? Infinity : Number(bound))
const sum = (samples: Sample[]) => samples.reduce((total, { value }) => total + value, 0)
