import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { newId } from '../../src/base/id.ts'
import type { Job } from '../../src/job/job.ts'
import { encodePolicy } from '../../src/job/policy.ts'
import { type Facts, type Hand, WHY_CODES, whyOf } from '../../src/job/why.ts'

const NOW = Date.parse('2026-11-21T02:00:00Z')
const ready: Job = {
  id: newId(),
  job: 'chore',
  queue: 'default',
  tenant: '',
  priority: 5,
  input: new Uint8Array(),
  policy: encodePolicy({ attempts: 3 }),
  state: 'ready',
  turn: 1,
  rev: 1,
  fence: 0,
  failures: 0,
  crashes: 0,
  losses: 0,
  createdAt: NOW,
  runAt: NOW,
  withErrors: false,
  cancelAsked: false,
  tags: [],
  artifacts: [],
}
const idle: Hand = { queues: [], places: 10, running: 3 }
const why = (over: Partial<Job>, facts: Partial<Facts> = {}) => {
  const given = { now: NOW, ahead: 0, aheadMax: 1000, workers: [idle], ...facts }
  const { code, text } = whyOf({ job: { ...ready, ...over }, ...given })
  return `${code}: ${text}`
}
const MINUTE = 60_000

test('each standing of a job has its reason', () => {
  const at = NOW + MINUTE
  const cases: [Partial<Job>, RegExp][] = [
    [{ state: 'completed', endedAt: NOW }, /^ENDED: it is completed since 2026-11-21T02:00:00/],
    [{ state: 'failed', reason: 'timeout', endedAt: NOW }, /^ENDED: it is failed \(timeout\)/],
    [{ state: 'running', startedAt: NOW }, /^RUNNING: it runs, since 2026/],
    [{ state: 'running', cancelAsked: true }, /^CANCEL_ASKED/],
    [{ state: 'scheduled', runAt: at }, /^NOT_DUE: it is due in 1m, at 2026-11-21T02:01:00/],
    [{ state: 'scheduled', runAt: at, failures: 1 }, /^BACKS_OFF: it failed 1 of 3 times .* in 1m/],
    [{ state: 'scheduled', runAt: NOW - 1 }, /^DUE/],
    [{ state: 'waiting', waitingFor: 'handler' }, /^WAITS_FOR_HANDLER: .* named chore/],
    [
      { state: 'waiting', waitingFor: 'sleep:tea', wakesAt: at },
      /^WAITS_FOR_TIME: .*\(tea\).*02:01/,
    ],
    [
      { state: 'waiting', waitingFor: 'signal:go' },
      /^WAITS_FOR_SIGNAL: it waits for the signal go$/,
    ],
    [
      { state: 'waiting', waitingFor: 'signal:go', wakesAt: at },
      /^WAITS_FOR_SIGNAL: .* go, until 2026-11-21T02:01:00.000Z at most/,
    ],
    [{ state: 'waiting', waitingFor: 'call:page' }, /^WAITS_FOR_CHILD: .* as page/],
    [
      { state: 'waiting', waitingFor: 'call:a, signal:b' },
      /^WAITS: it waits for call:a, signal:b$/,
    ],
    [{}, /^NEXT/],
  ]
  for (const [over, said] of cases) assert.match(why(over), said)
})

test('a ready job is told apart by who could take it, then by what stands before it', () => {
  const busy = { queues: ['default'], places: 2, running: 2 }
  const elsewhere = { queues: ['mail'], places: 5, running: 0 }
  const cases: [Partial<Facts>, RegExp][] = [
    [{ workers: [] }, /^NO_WORKER:/],
    [
      { workers: [], pause: { since: 'noon', person: 'Ada', reason: 'tea' } },
      /^QUEUE_PAUSED: its queue default is paused since noon by Ada: tea$/,
    ],
    [{ pause: { since: 'noon' } }, /^QUEUE_PAUSED: .* since noon$/],
    [{ workers: [elsewhere] }, /^NO_WORKER_FOR_QUEUE: .* default/],
    [{ workers: [busy, elsewhere], ahead: 4 }, /^WORKERS_FULL: all 2 places .* 4 leave before it/],
    [{ workers: [busy, idle], ahead: 4 }, /^BEHIND: 4 of its queue/],
    [{ workers: [idle], ahead: 1000 }, /^BEHIND: 1000 or more/],
  ]
  for (const [facts, said] of cases) assert.match(why({}, facts), said)
})

test('every reason is explained, and no other', () => {
  const explained = [
    ...readFileSync('docs/states.md', 'utf8').matchAll(/^\| `([A-Z_]+)` \|/gm),
  ].map(([, code]) => code)
  assert.deepEqual(explained, WHY_CODES)
})
