import { open, type Errand } from 'errand'
import { newId } from '../src/base/id.ts'
import { itemId } from '../src/job/batch.ts'
import type { JobId, NewJob } from '../src/job/job.ts'
import type { Outcome } from '../src/job/outcome.ts'
import { prepare } from '../src/job/prepare.ts'
import type { Settlement, Store } from '../src/store/contract.ts'
import { input, noop } from './lib/jobs.ts'
import { type Kind, KINDS, kinds } from './lib/kinds.ts'
import { temporaryFolder } from './lib/programs.ts'
import { Report } from './lib/report.ts'
import { scaled, settings } from './lib/settings.ts'
import { median, rate } from './lib/statistics.ts'
import { Watch } from './lib/watch.ts'
import { Grounds } from './peers/grounds.ts'

/** What it costs jobs to be items of one batch: the same number with and without, in turn, on each store. */
const COUNT = scaled(100_000)
/** One in so many fails. */
const FAILS = 100
const WARM = 10_000
const CHUNK = 1000
const CLAIM = 100
const HANDS = 4
const DAY_MS = 86_400_000
const LEAST = 0.6

const DID = ['enqueue', 'process'] as const
type Rates = Record<(typeof DID)[number], number> & { durability: string }

const pattern = await prepare(noop, input)
const completed: Outcome = { to: 'completed', withErrors: false, artifacts: [], keepMs: DAY_MS }
const error = new TextEncoder().encode('{}')
const failed: Outcome = { to: 'failed', reason: 'error', error, raise: 'failures', keepMs: DAY_MS }

using report = new Report('batch')
await using folder = await temporaryFolder()
await using grounds = new Grounds(folder.path)
const ratios = new Map<string, number[]>()
for (const kind of kinds) for (const isItems of [false, true]) await take(kind, isItems, WARM)
for (let run = 0; run < settings.runs; run++)
  for (const kind of kinds) await compare(kind, run % 2 === 1)
const missed = [...ratios].filter(([, found]) => median(found) < LEAST)
for (const [what, found] of ratios)
  console.log(
    `${what}: ${median(found).toFixed(2)} (${found.map((one) => one.toFixed(2)).join(' ')})`,
  )
process.exitCode = missed.length > 0 ? 1 : 0

async function compare(kind: Kind, isItemsFirst: boolean): Promise<void> {
  const took = new Map<boolean, Rates>()
  for (const isItems of [isItemsFirst, !isItemsFirst]) {
    const rates = await take(kind, isItems, COUNT)
    took.set(isItems, rates)
    const { durability } = rates
    for (const did of DID) {
      const what = `${did}, ${isItems ? 'items' : 'plain jobs'}`
      report.add({ what, store: kind, durability, unit: 'jobs/s', value: rates[did] })
    }
  }
  for (const did of DID) {
    const ratio = (took.get(true)?.[did] ?? 0) / (took.get(false)?.[did] ?? 0)
    const name = `${kind}: ${did}, items / plain jobs`
    ratios.set(name, [...(ratios.get(name) ?? []), ratio])
  }
}

/** On a ground of its own, so that nobody finds what others left. */
async function take(kind: Kind, isItems: boolean, count: number): Promise<Rates> {
  await using ground = await grounds.fresh(KINDS[kind])
  const url = kind === 'sqlite' ? `sqlite:${ground.url}` : ground.url
  await using errand = await open(url, { durability: settings.durability })
  // A file is written by one connection: more would only wait for each other.
  await using other = kind === 'sqlite' ? undefined : await open(url)
  const stores = [errand, other].flatMap((one: Errand | undefined) => one?.store ?? [])
  const id = newId()
  const watch = isItems ? new Watch(errand.store, id) : undefined
  const enqueue = await rate(count, () => (isItems ? fill : insert)(errand.store, count, id))
  const process = await rate(count, () => work(stores))
  const looks = await watch?.end({ items: count, failed: count / FAILS })
  if (looks !== undefined) console.log(`${looks} looks: it never fell, and was exact in the end`)
  return { enqueue, process, durability: errand.store.about.durability }
}

async function insert(store: Store, count: number): Promise<void> {
  for (let at = 0; at < count; at += CHUNK)
    await store.insert(Array.from({ length: CHUNK }, () => ({ ...pattern, id: newId() })))
}

async function fill(store: Store, count: number, id: JobId): Promise<void> {
  const end = { ...pattern, id: newId(), queue: 'ends', subject: id }
  const batch = { id, job: noop.name, tenant: '', keepMs: DAY_MS, failedMax: count, end }
  await store.changeBatch(id, { to: 'open', batch })
  for (let at = 0; at < count; at += CHUNK)
    await store.fillBatch(
      id,
      Array.from({ length: CHUNK }, (_, i): NewJob => {
        const place = { batch: id, index: at + i }
        return { ...pattern, id: itemId(place), place }
      }),
    )
  await store.changeBatch(id, { to: 'closed' })
}

/** Hands that settle what they hold and claim more, until nothing is left. */
async function work(stores: readonly Store[]): Promise<void> {
  let done = 0
  const one = async (store: Store) => {
    const worker = newId()
    await store.register({ id: worker, leaseMs: DAY_MS, info: Buffer.from('{}') })
    let settlements: Settlement[] = []
    for (let n = 1; ; n++) {
      const claim = { queues: [pattern.queue], limit: CLAIM }
      const answer = await store.exchange(worker, n, settlements, claim)
      if ('refused' in answer) throw new Error(`refused: ${answer.refused}`)
      if (answer.jobs.length === 0) return
      settlements = answer.jobs.map(({ id, fence }) => ({
        id,
        fence,
        outcome: ++done % FAILS === 0 ? failed : completed,
      }))
    }
  }
  await Promise.all(Array.from({ length: HANDS }, (_, i) => one(stores[i % stores.length]!)))
}
