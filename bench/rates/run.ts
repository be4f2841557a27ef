import { join } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { defineLimit, type Rate } from 'errand'
import { open } from '../../src/open.ts'
import { Installation } from '../../test/support/command.ts'
import { openGround } from '../../test/support/ground.ts'
import { storeNamed, type StoreName } from '../../test/support/stores.ts'
import { temporaryFolder } from '../lib/programs.ts'
import { table } from '../lib/table.ts'
import { Callee } from './callee.ts'
import { call } from './contract.ts'
import { freezeExecutors } from './freeze.ts'

/** Calls from several workers under one limit, counted where they arrive: never more than the limit says. */
const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite,redis,postgres' },
    rate: { type: 'string', default: '60/6s' },
    calls: { type: 'string', default: '200' },
    workers: { type: 'string', default: '3' },
    /** One worker dies halfway, and is replaced. */
    kill: { type: 'boolean', default: false },
    /** Executors stand still for a little longer than the span, one after the other. */
    freeze: { type: 'boolean', default: false },
  },
})
const isRate = (text: string): text is Rate => text.includes('/')
if (!isRate(values.rate)) throw new Error('--rate needs a rate such as 60/6s')
const limit = defineLimit('callee', { rate: values.rate })
const [calls, workers] = [values.calls, values.workers].map(Number)
if (!calls || !workers) throw new Error('--calls and --workers need numbers')

const APP = join(import.meta.dirname, 'app.ts')
const LEASE = { ERRAND_LEASE: '1500ms', ERRAND_RENEW: '300ms', ERRAND_SWEEP: '200ms' }
const PATIENCE_MS = 300_000
const FROZEN = 1.3

type Count = {
  store: StoreName
  durability: string
  arrived: number
  most: number
  seconds: number
  completed: number
}

async function count(store: StoreName, total: number, of: number): Promise<Count> {
  await using folder = await temporaryFolder()
  await using ground = await openGround(store)
  await using callee = new Callee()
  const url = ground.fresh(folder.path)
  const env = { CALLEE: await callee.listen(), RATE: values.rate, ERRAND_APP: APP }
  await using errand = await open(url)
  await using here = new Installation({ ...LEASE, ...env, ERRAND_STORE: url })
  const start = () => here.start('worker', '--concurrency', '20')
  const running = Array.from({ length: of }, start)
  await Promise.all(running.map((worker) => worker.said('worker started')))
  const jobs = Array.from({ length: total }, () => ({}))
  const { id } = await errand.enqueueBatch(call, jobs)
  const ended = errand.watch.batchEnded(id, PATIENCE_MS)
  if (values.kill) {
    while (callee.arrivedAt.length < total / 2) await errand.watch.batchEnded(id, 50)
    running[0]?.signal('SIGKILL')
    start()
  }
  const frozen = values.freeze ? freezeExecutors(running, FROZEN * limit.spanMs) : undefined
  const { completed } = await ended
  await frozen?.[Symbol.asyncDispose]()
  const [first = 0, last = 0] = [callee.arrivedAt[0], callee.arrivedAt.at(-1)]
  const { length: arrived } = callee.arrivedAt
  const { durability } = errand.store.about
  return {
    store,
    durability,
    arrived,
    most: callee.most(limit.spanMs),
    seconds: (last - first) / 1000,
    completed,
  }
}

const counts: Count[] = []
for (const store of values.store.split(',').map(storeNamed)) {
  console.error(`${store}: ${calls} calls at ${values.rate} from ${workers} workers …`)
  counts.push(await count(store, calls, workers))
}
const rows = counts.map(({ store, durability, arrived, most, seconds, completed }) => [
  store,
  durability,
  `${arrived}`,
  `${most}`,
  seconds.toFixed(1),
  `${completed}`,
])
const titles = [
  'store',
  'durability',
  'calls',
  `most in any ${limit.spanMs} ms`,
  'seconds',
  'jobs completed',
]
console.log(table(titles, rows))
const isWrong = ({ most, completed }: Count) => most > limit.count || completed !== calls
for (const { store } of counts.filter(isWrong))
  console.error(
    styleText('red', `${store}: more than ${values.rate}, or a job that did not complete`),
  )
process.exitCode = counts.some(isWrong) ? 1 : 0
