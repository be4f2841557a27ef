import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bytes, encodeJson } from '../../src/base/json.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import { foldMetrics, Stats } from '../../src/worker/stats.ts'
import { claimed } from '../support/claimed.ts'
import { bytes, completed, failed, textOf } from '../support/jobs.ts'

type Sample = { labels: Record<string, string>; value: number; metricName?: string }
type Metric = { name: string; type: string; help: string; aggregator: string; values: Sample[] }

const read = (snapshot: Bytes): Metric[] => JSON.parse(textOf(snapshot) ?? '')

/** The samples of a metric as `labels=value`. */
function samples(snapshot: Bytes, name: string): string[] {
  const metric = read(snapshot).find((candidate) => candidate.name === name)
  assert(metric, `there is no ${name}`)
  return metric.values.map(({ metricName = name, labels, value }) =>
    `${metricName.slice(name.length)} ${Object.values(labels).join(' ')}=${value}`.trim(),
  )
}

const job = claimed({}, { job: 'sum' })
const again: Outcome = {
  to: 'scheduled',
  delayMs: 0,
  reason: 'timeout',
  error: bytes('late'),
  raise: 'failures',
}

test('what was settled is counted by name and outcome, and late results apart', () => {
  const stats = new Stats()
  stats.settled(job, completed(), 0)
  stats.settled(job, completed(), 0)
  stats.settled(job, failed(), 0)
  stats.answered(['done', 'stale', 'already', 'gone', 'stale'])
  const snapshot = stats.snapshot()
  assert.deepEqual(samples(snapshot, 'errand_attempts_total'), ['sum completed=2', 'sum failed=1'])
  assert.deepEqual(samples(snapshot, 'errand_late_results_total'), ['=3'])
})

test('times are seconds in buckets that add up', () => {
  const stats = new Stats()
  for (const ms of [1, 5, 300, 1_000_000]) stats.ran(job, ms)
  const shown = samples(stats.snapshot(), 'errand_run_seconds')
  for (const line of ['_bucket 0.005 sum=2', '_bucket 0.1 sum=2', '_bucket 0.5 sum=3'])
    assert(shown.includes(line), line)
  for (const line of ['_bucket 900 sum=3', '_bucket +Inf sum=4', '_count sum=4'])
    assert(shown.includes(line), line)
  assert(shown.includes('_sum sum=1000.306'), shown.join('\n'))
})

test('a job that has ended is counted from its acceptance, and one that is tried again is not', () => {
  const stats = new Stats()
  const old = claimed({}, { job: 'sum', createdAt: 1000 })
  stats.settled(old, again, 9000)
  stats.settled(old, failed(), 13_000)
  const shown = samples(stats.snapshot(), 'errand_turnaround_seconds')
  for (const line of ['_bucket 10 sum=0', '_bucket 30 sum=1', '_count sum=1', '_sum sum=12'])
    assert(shown.includes(line), shown.join('\n'))
})

test('attempts that ran into their time are counted, tried again or not', () => {
  const stats = new Stats()
  stats.settled(job, again, 0)
  stats.settled(job, failed({ reason: 'timeout' }), 0)
  stats.settled(job, failed(), 0)
  assert.deepEqual(samples(stats.snapshot(), 'errand_timeouts_total'), ['sum=2'])
})

test('waiting is told by queue', () => {
  const stats = new Stats()
  stats.waited(claimed({}, { queue: 'mail' }), 20)
  assert(samples(stats.snapshot(), 'errand_wait_seconds').includes('_bucket 0.02 mail=1'))
})

test('snapshots fold into one, sample by sample, and folding changes nothing more', () => {
  const [first, second] = [new Stats(), new Stats()]
  first.settled(job, completed(), 0)
  second.settled(job, completed(), 0)
  second.settled(claimed({}, { job: 'mail' }), completed(), 0)
  second.ran(job, 10)
  const sum = foldMetrics([first.snapshot(), second.snapshot()])
  assert.deepEqual(samples(sum, 'errand_attempts_total'), ['sum completed=2', 'mail completed=1'])
  assert(samples(sum, 'errand_run_seconds').includes('_count sum=1'))
  assert.deepEqual(read(foldMetrics([sum])), read(sum))
  const twice = foldMetrics([sum, first.snapshot()])
  assert.deepEqual(samples(twice, 'errand_attempts_total'), ['sum completed=3', 'mail completed=1'])
})

test('a snapshot that cannot be read is left out', () => {
  const stats = new Stats()
  stats.settled(job, completed(), 0)
  const odd = [bytes('{'), Buffer.of(0xff), bytes('null'), bytes('{}'), bytes('[1]')]
  const sum = foldMetrics([...odd, stats.snapshot(), encodeJson([]) ?? bytes('')])
  assert.deepEqual(samples(sum, 'errand_attempts_total'), ['sum completed=1'])
})

test('every metric says what it is', () => {
  for (const { name, help, type, aggregator } of read(new Stats().snapshot())) {
    assert.match(name, /^errand_/)
    assert.notEqual(help, '')
    assert(['counter', 'histogram'].includes(type))
    assert.equal(aggregator, 'sum')
  }
})
