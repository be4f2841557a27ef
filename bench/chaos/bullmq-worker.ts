import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Worker } from 'bullmq'
import { Ledger } from './ledger.ts'

/** A worker as BullMQ's documentation has it: handlers in its own process, closed at SIGTERM. */
const { CHAOS_LEDGER = '/dev/null', CHAOS_LEASE_MS = '2000', CHAOS_REDIS = '6379' } = process.env
const isSafe = process.env['CHAOS_SAFE'] === 'true'
const leaseMs = Number(CHAOS_LEASE_MS)
const ledger = new Ledger(CHAOS_LEDGER)

type Input = { ms: number; failures: number }

async function work(job: Job<Input>): Promise<void> {
  const { name, data, attemptsMade } = job
  if (name === 'poison') process.exit(1)
  if (name === 'flaky' && attemptsMade < data.failures) throw new Error('as planned')
  if (name === 'doomed') throw new Error('as planned')
  if (name === 'busy') for (const until = Date.now() + leaseMs * 1.5; Date.now() < until;);
  if (name === 'long')
    for (let done = 0; done < 10; done++) {
      await job.updateProgress(done)
      await sleep(leaseMs / 4)
    }
  await sleep(data.ms)
}

const worker = new Worker<Input>(
  'chaos',
  async (job) => {
    const id = job.id ?? ''
    // The number of this run: what a handler can tell the world outside apart by.
    const fence = job.attemptsStarted
    ledger.write({ what: 'begin', id, fence, pid: process.pid })
    await work(job)
    ledger.write({ what: 'effect', id, fence })
    ledger.write({ what: 'end', id, fence })
    return fence
  },
  {
    connection: { host: '127.0.0.1', port: Number(CHAOS_REDIS), maxRetriesPerRequest: null },
    concurrency: 8,
    ...(isSafe && { lockDuration: 5000, stalledInterval: 2500, maxStalledCount: 20 }),
  },
)
worker.on('error', () => undefined)
process.on('SIGTERM', () => void worker.close().then(() => process.exit(0)))
