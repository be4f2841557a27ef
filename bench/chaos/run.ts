import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { temporaryFolder } from '../lib/programs.ts'
import { machine } from '../lib/report.ts'
import { contest, type Outcome } from './arena.ts'
import { Ledger } from './ledger.ts'
import { storeNamed } from '../../test/support/stores.ts'
import { explain, isClean, render } from './report.ts'
import type { Arena, System } from './system.ts'

/** Kills, freezes and restarts processes under load, and lets a ledger outside the store say what was lost. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '120' },
    rate: { type: 'string', default: '30' },
    lease: { type: 'string', default: '2000' },
    store: { type: 'string', default: 'sqlite' },
    systems: { type: 'string', default: 'errand,bullmq-default,bullmq-safe' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
})

const options = {
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  rate: Number(values.rate),
  leaseMs: Number(values.lease),
}

const store = storeNamed(values.store)
const outcomes: Outcome[] = []
for (const name of values.systems.split(',')) {
  console.error(`${name}: ${options.seconds} s at ${options.rate} jobs/s, seed ${options.seed} …`)
  await using folder = await temporaryFolder()
  const ledgerFile = join(folder.path, 'ledger')
  const ledger = new Ledger(ledgerFile)
  process.env['CHAOS_LEASE_MS'] = `${options.leaseMs}`
  const arena = { folder: folder.path, ledger, ledgerFile, leaseMs: options.leaseMs }
  await using system = await choose(name, arena)
  outcomes.push(await contest(system, ledger, options))
}

const report = { format: 'chaos-report/1', date: new Date().toISOString(), machine, outcomes }
if (values.json) console.log(JSON.stringify(report))
else console.log(`\n${render(outcomes)}`)
const complaints = explain(outcomes)
if (complaints !== '') console.error(complaints)
if (values.save) {
  const file = `results/${report.date.slice(0, 10)}-chaos-${store}-${options.seconds}s-seed${options.seed}.json`
  const url = new URL(`../${file}`, import.meta.url)
  await mkdir(new URL('.', url), { recursive: true })
  await writeFile(url, `${JSON.stringify(report, undefined, 2)}\n`)
  console.error(`written to bench/${file}`)
}
process.exitCode = outcomes.filter(({ system }) => system === 'Errand').every(isClean) ? 0 : 1

async function choose(name: string, arena: Arena): Promise<System> {
  if (name === 'errand') return new (await import('./errand.ts')).ErrandSystem(arena, store)
  const { BullSystem } = await import('./bullmq.ts')
  if (name === 'bullmq-default' || name === 'bullmq-safe')
    return new BullSystem(arena, name === 'bullmq-safe')
  throw new Error(`--systems knows errand, bullmq-default and bullmq-safe, not ${name}`)
}
