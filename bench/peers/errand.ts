import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineJob, type Errand, handler, open, type Schema } from 'errand'
import { noop } from '../lib/jobs.ts'
import { type Data, serve, type Work } from './program.ts'

/** Errand itself, as shipped: completed jobs are kept for a day. */
const [place = ''] = process.argv.slice(2)
const url = /^\w+:/.test(place) ? place : `sqlite:${place}`
const POLL_MS = 10

const isData = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && ('text' in value || 'sentAt' in value)

const data: Schema<Data> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => (isData(value) ? { value } : { issues: [{ message: 'no data' }] }),
  },
}

/** Of the same name as the one that executors load. */
const job = defineJob({ name: noop.name, input: data })
const errand = await open(url, { durability: 'full' })
let elsewhere: ChildProcess | undefined

await serve({
  async produce() {
    return {
      add: (one) => errand.enqueue(job, one),
      addMany: (many) => errand.enqueueMany(job, many),
      close: () => errand[Symbol.asyncDispose](),
    }
  },
  async work({ concurrency, executors }: Work, handle) {
    if (executors) return workElsewhere(handle)
    const handlers = async () => ({ work: handler(job, { run: (given) => handle(given) }) })
    await errand.work({ jobs: [job], handlers }, { concurrency })
  },
  async stop() {
    if (elsewhere === undefined || elsewhere.exitCode !== null) return
    elsewhere.kill('SIGTERM')
    await once(elsewhere, 'exit')
  },
})

/** What `errand worker` starts when told nothing. The store says how many it has completed. */
async function workElsewhere(handle: (data?: Data, jobs?: number) => void): Promise<void> {
  const args = ['worker', '--app', fileURLToPath(new URL('../noop.app.ts', import.meta.url))]
  elsewhere = spawn(
    fileURLToPath(new URL('../../bin/errand', import.meta.url)),
    [...args, '--store', url],
    {
      env: { ...process.env, ERRAND_DURABILITY: 'full', ERRAND_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  // Interrupted: there is no store left to hand anything back to. Its executors end with it.
  process.on('exit', () => elsewhere?.kill('SIGKILL'))
  void follow(errand, handle)
}

async function follow(of: Errand, handle: (data?: Data, jobs?: number) => void): Promise<never> {
  for (let before = 0; ; await sleep(POLL_MS)) {
    const completed = (await of.queues()).reduce((sum, tally) => sum + tally.completed, 0)
    if (completed > before) handle(undefined, completed - before)
    before = completed
  }
}
