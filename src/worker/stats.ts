import { type Bytes, encodeJson, readOwn } from '../base/json.ts'
import type { Millis } from '../base/time.ts'
import type { Claimed } from '../job/job.ts'
import type { Outcome } from '../job/outcome.ts'
import type { Answer } from '../store/contract.ts'

const BUCKETS_S = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900] as const

type Labels = Record<string, string>
type Histogram = { labels: Labels; counts: number[]; sum: number; count: number }
type Counter = { labels: Labels; value: number }
type Metric = { name: string; help: string; type: string; aggregator: string; values: Sample[] }
type Sample = { labels: Labels; value: number; metricName?: string }

/** What a worker has seen, kept as plain numbers and written in the shape Prometheus libraries exchange. */
export class Stats {
  readonly #finished = new Map<string, Map<string, Counter>>()
  readonly #run = new Map<string, Histogram>()
  readonly #wait = new Map<string, Histogram>()
  readonly #turnaround = new Map<string, Histogram>()
  readonly #timeouts = new Map<string, Counter>()
  #late: number

  /** `late` results were refused before, by a worker of this process that was given up. */
  constructor(late = 0) {
    this.#late = late
  }

  /** A claimed job began after this long in the ready line. */
  waited({ queue }: Claimed, ms: Millis): void {
    observe(this.#wait, queue, { queue }, ms)
  }

  ran({ job }: Claimed, ms: Millis): void {
    observe(this.#run, job, { job }, ms)
  }

  settled({ job, createdAt }: Claimed, outcome: Outcome, now: Millis): void {
    const { to } = outcome
    if ('keepMs' in outcome) observe(this.#turnaround, job, { job }, Math.max(0, now - createdAt))
    if ('reason' in outcome && outcome.reason === 'timeout') count(this.#timeouts, job, { job })
    let counters = this.#finished.get(job)
    if (counters === undefined) this.#finished.set(job, (counters = new Map()))
    count(counters, to, { job, outcome: to })
  }

  /** A late result was refused: shown, never an error. */
  answered(answers: readonly Answer[]): void {
    for (const answer of answers) if (answer === 'stale' || answer === 'gone') this.#late++
  }

  /** The store has given up on this worker: what it still had to say is late. */
  refused(results: number): void {
    this.#late += results
  }

  get late(): number {
    return this.#late
  }

  /** `more` is what is to be known of a worker only while it lives. */
  snapshot(...more: readonly Metric[]): Bytes {
    const histogram = (name: string, help: string, map: Map<string, Histogram>) =>
      metric(
        name,
        help,
        'histogram',
        [...map.values()].flatMap((one) => toSamples(name, one)),
      )
    return (
      encodeJson([
        metric(
          'errand_attempts_total',
          'Attempts settled, by what came of them',
          'counter',
          [...this.#finished.values()].flatMap((counters) => [...counters.values()]),
        ),
        metric(
          'errand_late_results_total',
          'Results refused because their fence was no longer current',
          'counter',
          [{ labels: {}, value: this.#late }],
        ),
        metric('errand_timeouts_total', 'Attempts that ran into their time limit', 'counter', [
          ...this.#timeouts.values(),
        ]),
        histogram('errand_run_seconds', 'Time a handler ran', this.#run),
        histogram('errand_wait_seconds', 'Time a job was ready before it began', this.#wait),
        histogram(
          'errand_turnaround_seconds',
          'Time from the acceptance of a job to its end',
          this.#turnaround,
        ),
        ...more,
      ]) ?? new Uint8Array()
    )
  }
}

const metric = (name: string, help: string, type: string, values: Sample[]): Metric => ({
  name,
  help,
  type,
  aggregator: 'sum',
  values,
})

/** The sum of several snapshots, as one. What cannot be read is left out: a number must not stop a worker. */
export function foldMetrics(snapshots: readonly Bytes[]): Bytes {
  const metrics = new Map<string, Metric>()
  for (const metric of snapshots.flatMap(readSnapshot)) {
    if (metric.type === 'gauge') continue
    const sum = metrics.get(metric.name) ?? { ...metric, values: [] }
    metrics.set(metric.name, { ...sum, values: addSamples(sum.values, metric.values) })
  }
  return encodeJson([...metrics.values()]) ?? new Uint8Array()
}

function readSnapshot(bytes: Bytes): Metric[] {
  const metrics = readOwn<Metric[]>(bytes, [])
  return Array.isArray(metrics) ? metrics.filter((one) => Array.isArray(one?.values)) : []
}

function addSamples(sums: readonly Sample[], more: readonly Sample[]): Sample[] {
  const keyOf = ({ metricName, labels }: Sample) => JSON.stringify([metricName, labels])
  const byKey = new Map(sums.map((sample) => [keyOf(sample), sample]))
  for (const sample of more) {
    const sum = byKey.get(keyOf(sample))
    byKey.set(keyOf(sample), sum ? { ...sum, value: sum.value + sample.value } : sample)
  }
  return [...byKey.values()]
}

function count(map: Map<string, Counter>, key: string, labels: Labels): void {
  const counter = map.get(key)
  if (counter) counter.value++
  else map.set(key, { labels, value: 1 })
}

function observe(map: Map<string, Histogram>, key: string, labels: Labels, ms: Millis): void {
  let one = map.get(key)
  if (one === undefined)
    map.set(key, (one = { labels, counts: BUCKETS_S.map(() => 0), sum: 0, count: 0 }))
  const seconds = ms / 1000
  one.sum += seconds
  one.count++
  const bucket = BUCKETS_S.findIndex((bound) => seconds <= bound)
  if (bucket >= 0) one.counts[bucket] = (one.counts[bucket] ?? 0) + 1
}

function toSamples(name: string, { labels, counts, sum, count }: Histogram): Sample[] {
  let below = 0
  const buckets = counts.map((inside, i) => ({
    labels: { le: String(BUCKETS_S[i]), ...labels },
    value: (below += inside),
    metricName: `${name}_bucket`,
  }))
  return [
    ...buckets,
    { labels: { le: '+Inf', ...labels }, value: count, metricName: `${name}_bucket` },
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}
