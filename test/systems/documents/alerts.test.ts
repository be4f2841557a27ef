import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { foldMetrics, Stats } from '../../../src/worker/stats.ts'
import { documentsApp } from '../../../systems/documents/app.ts'
import { claimed } from '../../support/claimed.ts'
import { completed, textOf } from '../../support/jobs.ts'
import { setUp } from './setup.ts'

const ALERTS = join(import.meta.dirname, '../../../systems/documents/alerts')
const RULES = readFileSync(join(ALERTS, 'documents.rules.yml'), 'utf8')

const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ALERTS, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
}

test('Prometheus accepts the rules, and each fires when it should and not otherwise', () => {
  promtool('check', 'rules', 'documents.rules.yml')
  promtool('test', 'rules', 'documents.tests.yml')
})

test('the limits are those that were agreed upon', () => {
  const limits = [...RULES.matchAll(/labels: \{ of: (\w+) \}\n\s+expr: vector\(([\d.]+)\)/g)]
  assert.deepEqual(Object.fromEntries(limits.map(([, of, value]) => [of, Number(value)])), {
    timeout_ratio: 0.01,
    mean_response_seconds: 2,
    p95_response_seconds: 5,
    pdf_seconds: 10,
    turnaround_seconds: 10,
    run_seconds: 30,
    pdfs_a_day: 1000,
    requests_a_second: 500,
    complaints_a_month: 5,
  })
})

test('the rules speak of metrics and jobs that are there', async () => {
  await using system = await setUp()
  await system.ask('/documents/list')
  const stats = new Stats()
  stats.waited(claimed(), 1)
  stats.ran(claimed(), 1)
  stats.settled(claimed(), completed(), 1)
  const there =
    (await (await system.ask('/metrics')).text()) + textOf(foldMetrics([stats.snapshot()]))
  const metrics = RULES.match(/errand_\w+/g) ?? []
  for (const metric of new Set(metrics))
    assert.ok(there.includes(metric.replace(/_(?:sum|count|bucket)$/, '')), metric)
  const names = documentsApp().jobs.map(({ name }) => name)
  for (const [, job = ''] of RULES.matchAll(/job!?="([^"]+)"/g)) assert.ok(names.includes(job), job)
})
