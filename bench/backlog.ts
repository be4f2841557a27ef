import { join } from 'node:path'
import { open } from 'errand'
import { newId } from '../src/base/id.ts'
import { prepare } from '../src/job/prepare.ts'
import type { Settlement, Store } from '../src/store/contract.ts'
import { input, noop } from './lib/jobs.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { settings } from './lib/settings.ts'
import { median, rate } from './lib/statistics.ts'

/** Whether claiming costs more when more is waiting. At least `--waiting` jobs wait at any moment. */
const ROUND = 10_000
const ROUNDS = 5
const CLAIM = 100
const BATCH = 1000
const HOUR_MS = 3_600_000

using report = new Report('backlog')
await using folder = await temporaryFolder()
await using errand = await open(`sqlite:${join(folder.path, 'errand.db')}`, {
  durability: settings.durability,
})
const { store } = errand
const pattern = await prepare(noop, input)
const worker = newId()
await store.register({ id: worker, leaseMs: HOUR_MS, info: Buffer.from('{}') })

let n = 0
let held: Settlement[] = []

async function fill(to: Store, count: number): Promise<void> {
  for (let done = 0; done < count; done += BATCH)
    await to.insert(Array.from({ length: BATCH }, () => ({ ...pattern, id: newId() })))
}

/** Each trip settles the hundred before and claims the next. */
async function claimRound(from: Store): Promise<void> {
  for (let done = 0; done < ROUND; done += CLAIM) {
    const exchanged = await from.exchange(worker, ++n, held, {
      queues: [noop.queue],
      limit: CLAIM,
    })
    if ('refused' in exchanged || exchanged.jobs.length < CLAIM)
      throw new Error('the backlog ran dry')
    held = exchanged.jobs.map(({ id, fence }) => ({ id, fence, outcome: completed }))
  }
}

const completed = {
  to: 'completed',
  withErrors: false,
  artifacts: [],
  keepMs: noop.policy.keepCompletedMs,
} as const

await fill(store, settings.waiting)
const runs: number[] = []
for (let round = 0; round <= ROUNDS; round++) {
  await fill(store, ROUND)
  runs.push(await rate(ROUND, () => claimRound(store)))
}

// The first round warms up.
runs.shift()
const { kind, durability } = store.about
const what = `claim and settle, ${settings.waiting} waiting`
report.add({ what, store: kind, durability, unit: 'jobs/s', value: median(runs), runs })
