import { once } from 'node:events'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { open } from 'errand'
import { moment, stamp } from './lib/jobs.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { settings } from './lib/settings.ts'
import { percentile } from './lib/statistics.ts'
import { startInline } from './lib/workers.ts'

/** How long an idle worker in another process takes to begin a job, from before its enqueue. */
const COUNT = settings.quick ? 100 : 300
const WARM_UP = 20
const EVERY_MS = 20
const PATIENCE_MS = 10_000

using report = new Report('pickup')
await using folder = await temporaryFolder()
const url = `sqlite:${join(folder.path, 'errand.db')}`
await using errand = await open(url, { durability: settings.durability })
await using worker = await startInline(url, folder.path)

const latencies: number[] = []
worker.child.on('message', (ms) => latencies.push(Number(ms)))

let sent = 0
for await (const _ of setInterval(EVERY_MS)) {
  await errand.enqueue(stamp, { sentAt: moment() })
  if (++sent === WARM_UP + COUNT) break
}
const signal = AbortSignal.timeout(PATIENCE_MS)
while (latencies.length < sent) await once(worker.child, 'message', { signal })

const warm = latencies.slice(WARM_UP)
const { kind, durability } = errand.store.about
for (const share of [50, 99]) {
  const value = percentile(warm, share / 100)
  report.add({ what: `idle, p${share}`, store: kind, durability, unit: 'ms', value })
}
