import { setTimeout as sleep } from 'node:timers/promises'
import { defineJob, open } from 'errand'
import { moment, stamp } from './lib/jobs.ts'
import { type Kind, KINDS, kinds } from './lib/kinds.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { scaled, settings } from './lib/settings.ts'
import { percentile } from './lib/statistics.ts'
import { Grounds } from './peers/grounds.ts'

/** How long a tenant's only job waits while another tenant has a hundred thousand in the same line. */
const WAITING = scaled(100_000)
const CHUNK = 5000
const NEWCOMERS = 50
const EVERY_MS = 100
/** What a job takes, and how many the worker runs at once. */
const [RUN_MS, CONCURRENCY] = [10, 10]

const waits: number[] = []
const job = defineJob({
  name: 'bench.fair',
  input: stamp.input,
  fair: true,
  async run({ sentAt }) {
    if (sentAt > 0) waits.push(moment() - sentAt)
    await sleep(RUN_MS)
  },
})

using report = new Report('fair')
await using folder = await temporaryFolder()
await using grounds = new Grounds(folder.path)
for (const kind of kinds) await measure(kind)

async function measure(kind: Kind): Promise<void> {
  await using ground = await grounds.fresh(KINDS[kind])
  const url = kind === 'sqlite' ? `sqlite:${ground.url}` : ground.url
  await using errand = await open(url, { durability: settings.durability })
  const many = Array.from({ length: CHUNK }, () => ({ sentAt: 0 }))
  for (let sent = 0; sent < WAITING; sent += CHUNK)
    await errand.enqueueMany(job, many, { tenant: 'big' })
  const worker = await errand.work({ jobs: [job] }, { concurrency: CONCURRENCY })
  await sleep(1000)
  waits.length = 0
  for (let i = 0; i < NEWCOMERS; i++) {
    await errand.enqueue(job, { sentAt: moment() }, { tenant: `small ${i}` })
    await sleep(EVERY_MS)
  }
  while (waits.length < NEWCOMERS) await sleep(EVERY_MS)
  await worker.stop()
  const { durability } = errand.store.about
  for (const share of [50, 99])
    report.add({
      what: `newcomer behind ${WAITING}, p${share}`,
      store: kind,
      durability,
      unit: 'ms',
      value: percentile(waits, share / 100),
    })
}
