import { join } from 'node:path'
import { Queue, type JobState } from 'bullmq'
import bullmq from 'bullmq/package.json' with { type: 'json' }
import { Redis } from 'ioredis'
import { RedisServer } from '../../test/support/servers/redis.ts'
import type { Ending } from './judge.ts'
import type { KindName } from './kinds.ts'
import { Root } from './processes.ts'
import type { Arena, Fault, Submission, System } from './system.ts'

const WORKERS = 3
const ENDED: JobState[] = ['completed', 'failed']
const LIVE: JobState[] = ['waiting', 'active', 'delayed', 'prioritized', 'waiting-children']

/** BullMQ on a Redis of its own, with as many workers, under the same load as far as it has words for it. */
export class BullSystem implements System {
  readonly name: string
  readonly about: Record<string, string>
  /** It has no hard limit, no cancel of a running job and no hooks. */
  readonly kinds: readonly KindName[] = [
    'short',
    'medium',
    'flaky',
    'long',
    'busy',
    'delayed',
    'unique',
    'doomed',
    'poison',
  ]
  readonly #arena: Arena
  readonly #isSafe: boolean
  #redis: RedisServer | undefined
  #workers: Root[] = []
  #queue: Queue | undefined

  constructor(arena: Arena, isSafe: boolean) {
    this.#arena = arena
    this.#isSafe = isSafe
    this.name = isSafe ? 'BullMQ, safe' : 'BullMQ, default'
    this.about = {
      version: `bullmq ${bullmq.version}`,
      durability: 'Redis, AOF everysec',
      settings: isSafe
        ? 'lock 5 s, stalled check 2.5 s, maxStalledCount 20, attempts 10'
        : 'lock 30 s, stalled check 30 s, maxStalledCount 1, attempts 1 (flaky and doomed 4)',
    }
  }

  async start(): Promise<void> {
    const { folder, ledgerFile, leaseMs } = this.#arena
    this.#redis = await RedisServer.start()
    const { port } = this.#redis
    this.#queue = new Queue('chaos', { connection: { host: '127.0.0.1', port } })
    this.about['store'] = `Redis ${await versionOf(this.#redis)}`
    const env = {
      CHAOS_LEDGER: ledgerFile,
      CHAOS_LEASE_MS: `${leaseMs}`,
      CHAOS_REDIS: `${port}`,
      CHAOS_SAFE: `${this.#isSafe}`,
    }
    const file = join(import.meta.dirname, 'bullmq-worker.ts')
    this.#workers = Array.from(
      { length: WORKERS },
      () => new Root(process.execPath, ['--no-warnings', file], env, join(folder, 'log')),
    )
  }

  async submit({ key, kind, input, unique }: Submission): Promise<string> {
    const attempts = this.#isSafe ? 10 : ['flaky', 'doomed'].includes(kind) ? 4 : 1
    const job = await this.#queue?.add(kind, input, {
      jobId: unique ?? key,
      attempts: kind === 'doomed' ? 2 : attempts,
      backoff: 50,
      ...(kind === 'delayed' && { delay: 500 }),
    })
    return job?.id ?? ''
  }

  async cancel(): Promise<void> {
    // Not among its kinds.
  }

  targets(fault: Fault): number[] {
    return fault === 'manager' || fault === 'api' ? [] : this.#workers.map(({ pid }) => pid)
  }

  family(pid: number): number[] {
    return [pid]
  }

  restart(): void {
    for (const worker of this.#workers) worker.restart()
  }

  async live(): Promise<number> {
    const counts = (await this.#queue?.getJobCounts(...LIVE)) ?? {}
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }

  async endings(): Promise<Map<string, Ending>> {
    const endings = new Map<string, Ending>()
    for (const state of [...ENDED, ...LIVE])
      for (const job of (await this.#queue?.getJobs([state], 0, -1)) ?? []) {
        const why = /stalled/.test(job.failedReason ?? '') ? 'crashed' : 'error'
        const end = state === 'failed' ? `failed ${why}` : state
        const id = job.id ?? ''
        // It counts its starts, and keeps no history of them.
        endings.set(id, {
          id,
          end,
          fence: job.attemptsStarted,
          runs: job.attemptsStarted,
          hooks: 0,
        })
      }
    return endings
  }

  async verify(): Promise<string[]> {
    return []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue?.close()
    await Promise.all(this.#workers.map((worker) => worker.stop(10_000)))
    await this.#redis?.[Symbol.asyncDispose]()
  }
}

async function versionOf({ url }: RedisServer): Promise<string> {
  const client = new Redis(url)
  const info = await client.info('server')
  client.disconnect()
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? ''
}
