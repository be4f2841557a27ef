import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { foldMetrics, Stats } from '../../../src/worker/stats.ts'
import { documentsApp } from '../../../systems/documents/app.ts'
import { claimed } from '../../support/claimed.ts'
import { completed, textOf } from '../../support/jobs.ts'
import { setUp } from './setup.ts'

const ALERTS = join(import.meta.dirname, '../../../systems/documents/alerts')
const RULES = readFileSync(join(ALERTS, 'documents.rules.yml'), 'utf8')

const promtool = (args: string[], cwd = ALERTS) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
}

test('Prometheus accepts the rules, and each fires when it should and not otherwise', () => {
  promtool(['check', 'rules', 'documents.rules.yml'])
  promtool(['test', 'rules', 'documents.tests.yml'])
})

test('whoever changes how long a run may take moves the rule, however a boundary is spelt', () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-alerts-'))
  const rules = RULES.replace("of: run_seconds, le: '30' }", "of: run_seconds, le: '60' }")
  writeFileSync(join(dir.path, 'documents.rules.yml'), rules)
  writeFileSync(join(dir.path, 'documents.tests.yml'), MOVED)
  promtool(['test', 'rules', 'documents.tests.yml'], dir.path)
})

/** All runs take more than 30 s, and half of them more than a minute. */
const MOVED = `
rule_files: [documents.rules.yml]
tests:
  - interval: 1m
    input_series:
      - { series: 'errand_run_seconds_count{job="documents.pdf", instance="a"}', values: '0+2x120' }
      - { series: 'errand_run_seconds_bucket{job="documents.pdf", instance="a", le="30.0"}', values: '0+0x120' }
      - { series: 'errand_run_seconds_bucket{job="documents.pdf", instance="a", le="60.0"}', values: '0+1x120' }
    alert_rule_test:
      - eval_time: 90m
        alertname: DocumentsLongRuns
        exp_alerts:
          - exp_labels: { job: documents.pdf, severity: info }
            exp_annotations: { summary: documents.pdf ran longer than its limit 60 times within an hour }
`

test('the limits are those that were agreed upon', () => {
  const limits = [
    ...RULES.matchAll(/labels: \{ of: (\w+)(?:, le: '\d+')? \}\n\s+expr: vector\(([\d.]+)\)/g),
  ]
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
