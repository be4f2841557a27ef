import type { Adoptee, Alias, BatchCopy, JobCopy } from '../../src/job/moving.ts'
import type { Millis } from '../../src/base/time.ts'
import type { Store } from '../../src/store/contract.ts'
import { batchOf } from './batches.ts'
import { bytes, chore, HOUR, SECOND } from './jobs.ts'

/** All that lies in a store, page by page. */
export async function copyAll(
  store: Store,
  limit = 100,
): Promise<{ jobs: JobCopy[]; aliases: Alias[]; batches: BatchCopy[] }> {
  const all: Awaited<ReturnType<typeof copyAll>> = { jobs: [], aliases: [], batches: [] }
  let cursor: string | undefined
  do {
    const { jobs, aliases, batches, next } = await store.copy(limit, cursor)
    all.jobs.push(...jobs)
    all.aliases.push(...aliases)
    all.batches.push(...batches)
    cursor = next
  } while (cursor !== undefined)
  return all
}

/** A job from another store: ready, and never run. */
export function adoptee(now: Millis, over: Partial<Adoptee> = {}): Adoptee {
  const { id, job, queue, tenant, priority, input, policy } = chore()
  return {
    id,
    job,
    queue,
    tenant,
    priority,
    input,
    policy,
    state: 'ready',
    rev: 1,
    fence: 0,
    failures: 0,
    crashes: 0,
    losses: 0,
    createdAt: now,
    runAt: now,
    withErrors: false,
    cancelAsked: false,
    tags: [],
    artifacts: [],
    attempts: [],
    steps: [],
    mail: [],
    log: [],
    ...over,
  }
}

/** A batch from another store, open and empty. */
export const batchCopy = (now: Millis, over: Partial<BatchCopy> = {}): BatchCopy => ({
  ...batchOf({ tenant: 'acme', failedMax: 3, fingerprint: 'print' }),
  createdAt: now - HOUR,
  filledAt: now - SECOND,
  items: 0,
  completed: 0,
  withErrors: 0,
  failed: 0,
  cancelled: 0,
  erased: 0,
  endings: 0,
  ...over,
})

/** One that has ended elsewhere, with all that a job can have. */
export const veteran = (now: Millis, over: Partial<Adoptee> = {}): Adoptee =>
  adoptee(now, {
    state: 'completed',
    tenant: 'acme',
    rev: 7,
    fence: now + 5,
    worker: chore().id,
    failures: 1,
    crashes: 2,
    losses: 3,
    startedAt: now - 20,
    endedAt: now - 10,
    keptUntil: now + 1000,
    expiresAt: now + 50,
    deadlineAt: now + 60,
    unique: { value: 'v', until: 'kept' },
    fingerprint: 'f',
    tags: ['red', 'blue, "quoted" {and} \\ odd'],
    withErrors: true,
    input: bytes('\u0000\u00ffin'),
    result: bytes('out'),
    progress: bytes('half'),
    attempts: [
      {
        fence: now + 1,
        worker: chore().id,
        startedAt: now - 40,
        endedAt: now - 30,
        outcome: 'error',
        error: bytes('why'),
      },
    ],
    log: [
      { at: now - 35, fence: now + 1, level: 'warn', text: 'häßlich\u2028zwei' },
      { at: now - 15, fence: now + 5, level: 'info', text: '' },
    ],
    steps: [
      { name: 'paid "twice"', at: now - 18, value: bytes('\u0000\u00ff') },
      { name: 'a', at: now - 18, value: bytes('') },
    ],
    mail: [
      { name: 'signal:b', key: 'k "2"', at: now - 17, value: bytes('\u0000\u00ff') },
      { name: 'signal:a', key: '', at: now - 17, value: bytes(''), urgent: true },
    ],
    artifacts: [
      {
        file: 'a b.csv',
        fence: now + 5,
        type: 'text/csv',
        bytes: 12,
        sha256: 'ab'.repeat(32),
        expiresAt: now + 900,
      },
    ],
    ...over,
  })
