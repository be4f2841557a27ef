import { join } from 'node:path'
import { type Errand, open } from 'errand'
import { input, noop } from './lib/jobs.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { scaled, settings } from './lib/settings.ts'
import { rate } from './lib/statistics.ts'

/** How fast work comes in through the front door. Each way has a store of its own. */
using report = new Report('enqueue')

async function callers(errand: Errand, many: number, count: number): Promise<void> {
  let left = count
  const caller = async () => {
    while (left-- > 0) await errand.enqueue(noop, input)
  }
  await Promise.all(Array.from({ length: many }, caller))
}

async function bulk(errand: Errand, size: number, count: number): Promise<void> {
  const inputs = Array.from({ length: size }, () => input)
  for (let done = 0; done < count; done += size) await errand.enqueueMany(noop, inputs)
}

async function measure(
  what: string,
  count: number,
  work: (errand: Errand, count: number) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder()
  await using errand = await open(`sqlite:${join(folder.path, 'errand.db')}`, {
    durability: settings.durability,
  })
  await work(errand, count / 10)
  const { kind, durability } = errand.store.about
  report.add({
    what,
    store: kind,
    durability,
    unit: 'jobs/s',
    value: await rate(count, () => work(errand, count)),
  })
}

await measure('1 awaiting caller', scaled(20_000), (errand, count) => callers(errand, 1, count))
await measure('100 callers', scaled(200_000), (errand, count) => callers(errand, 100, count))
await measure('bulk of 1000', scaled(200_000), (errand, count) => bulk(errand, 1000, count))
