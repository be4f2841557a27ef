import { open, type EnqueueOptions } from 'errand'
import { setTimeout as sleep } from 'node:timers/promises'
import { input, noop } from './lib/jobs.ts'
import { type Kind, KINDS, kinds } from './lib/kinds.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { scaled, settings } from './lib/settings.ts'
import { median, rate } from './lib/statistics.ts'
import { Grounds } from './peers/grounds.ts'

/** What limits cost one worker, in turn on each store: a key that binds nobody, one that does, and fifty. */
const COUNT = scaled(40_000)
const WARM = 4000
const CHUNK = 1000
const LEAST = 0.6
const LOOK_MS = 5

/** By chunk: a chunk shares its key, so that those of others are between two of its jobs all the same. */
const WAYS: Record<string, (chunk: number) => EnqueueOptions> = {
  'no limit': () => ({}),
  'a wide key': () => ({ limits: [{ key: 'wide', running: 100_000 }] }),
  'one key': () => ({ limits: [{ key: 'one', running: 1000 }] }),
  'fifty keys': (chunk) => ({ limits: [{ key: `key ${chunk % 50}`, running: 10 }] }),
}
const [PLAIN = ''] = Object.keys(WAYS)

using report = new Report('limits')
await using folder = await temporaryFolder()
await using grounds = new Grounds(folder.path)
const ratios = new Map<string, number[]>()
for (const kind of kinds) for (const way of Object.keys(WAYS)) await measure(kind, way, WARM)
for (let run = 0; run < settings.runs; run++) for (const kind of kinds) await compare(kind)
for (const [what, found] of ratios)
  console.log(
    `${what}: ${median(found).toFixed(2)} (${found.map((one) => one.toFixed(2)).join(' ')})`,
  )
process.exitCode = [...ratios.values()].some((found) => median(found) < LEAST) ? 1 : 0

async function compare(kind: Kind): Promise<void> {
  let plain = 0
  for (const way of Object.keys(WAYS)) {
    const { value, durability } = await measure(kind, way, COUNT)
    report.add({ what: `process, ${way}`, store: kind, durability, unit: 'jobs/s', value })
    if (way === PLAIN) plain = value
    const name = `${kind}: ${way} / ${PLAIN}`
    if (way !== PLAIN) ratios.set(name, [...(ratios.get(name) ?? []), value / plain])
  }
}

/** Enqueued beforehand, on a ground of its own. */
async function measure(kind: Kind, way: string, count: number) {
  await using ground = await grounds.fresh(KINDS[kind])
  const url = kind === 'sqlite' ? `sqlite:${ground.url}` : ground.url
  await using errand = await open(url, { durability: settings.durability })
  const inputs = Array.from({ length: CHUNK / 50 }, () => input)
  const chunks = count / inputs.length
  for (let chunk = 0; chunk < chunks; chunk++)
    await errand.enqueueMany(noop, inputs, WAYS[way]?.(chunk))
  const value = await rate(count, async () => {
    const worker = await errand.work({ jobs: [noop] }, { concurrency: 100 })
    const left = async () =>
      (await errand.queues()).reduce((sum, { completed }) => sum + completed, 0)
    while ((await left()) < count) await sleep(LOOK_MS)
    await worker.stop()
  })
  return { value, durability: errand.store.about.durability }
}
