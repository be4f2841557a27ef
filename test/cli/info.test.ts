import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queueLines, workerLines } from '../../src/cli/info-page.ts'
import { Print } from '../../src/cli/print.ts'
import type { QueueView } from '../../src/watch/queues.ts'
import type { WorkerView } from '../../src/watch/workers.ts'

const print = new Print(false)

const queue = (name: string, ready: number, more: Partial<QueueView> = {}): QueueView => ({
  queue: name,
  accepted: ready,
  erased: 0,
  scheduled: 0,
  ready,
  running: 0,
  waiting: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  ...more,
})

const worker = (pid: number, queues: string[], more: Partial<WorkerView> = {}): WorkerView => ({
  id: `${pid}`,
  alive: true,
  running: 0,
  registeredAt: '2026-11-28T04:00:00.000Z',
  leaseUntil: '2026-11-28T04:00:15.000Z',
  host: 'bricklayer',
  pid,
  queues,
  concurrency: 10,
  ...more,
})

const QUEUES = [queue('high', 20), queue('default', 12), queue('low', 8)]

test('each queue has a bar and what is to do in it, and the total is true', () => {
  assert.equal(
    queueLines(print, QUEUES),
    [
      'high     ██████████████████████████████ 20',
      'default  ██████████████████ 12',
      'low      ████████████ 8',
      '3 queues, 40 jobs total',
    ].join('\n'),
  )
})

test('each worker is named by host and pid, with what it does and its queues in their order', () => {
  const workers = [
    worker(19_233, ['low']),
    worker(19_232, ['high', 'default', 'low'], { running: 3 }),
    worker(18_349, ['default'], { overloaded: 2, processes: 2 }),
    worker(1, ['gone'], { alive: false }),
  ]
  assert.equal(
    workerLines(print, workers, QUEUES),
    [
      'bricklayer.19233 idle:        low',
      'bricklayer.19232 busy 3/10:   high, default, low',
      'bricklayer.18349 overloaded:  default',
      '3 workers, 3 queues',
    ].join('\n'),
  )
})

test('a worker that names no queue serves all there are', () => {
  assert.match(workerLines(print, [worker(7, [])], QUEUES), /all queues\n1 worker, 3 queues$/)
})

test('where nothing is, it is said what to do', () => {
  assert.match(queueLines(print, []), /no job was ever accepted/)
  assert.match(workerLines(print, [], []), /start one with: errand worker/)
})
