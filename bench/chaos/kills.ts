import { join } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { storeNamed } from '../../test/support/stores.ts'
import { temporaryFolder } from '../lib/programs.ts'
import { table } from '../lib/table.ts'
import { Ledger } from './ledger.ts'
import { besiege, findings, spread, type Toll } from './siege.ts'

/** Kills databases and workers with -9 under load, and lets a ledger outside the store say what was lost. */
const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'redis,postgres' },
    jobs: { type: 'string', default: '50000' },
    kills: { type: 'string', default: '5' },
    lease: { type: 'string', default: '2000' },
  },
})
const [jobs, kills, leaseMs] = [values.jobs, values.kills, values.lease].map(Number)
if (!jobs || !kills || !leaseMs) throw new Error('--jobs, --kills and --lease need numbers')

const tolls: Toll[] = []
for (const store of values.store.split(',').map(storeNamed)) {
  console.error(`${store}: ${jobs} jobs, killed ${kills} times …`)
  await using folder = await temporaryFolder()
  const ledgerFile = join(folder.path, 'ledger')
  const arena = { folder: folder.path, ledger: new Ledger(ledgerFile), ledgerFile, leaseMs }
  tolls.push(await besiege(arena, { store, jobs, kills }))
}

const row = (name: string, value: (toll: Toll) => string | number) => [
  name,
  ...tolls.map((toll) => `${value(toll)}`),
]
const broken = (law: keyof Toll['verdict']['broken']) => (toll: Toll) =>
  toll.verdict.broken[law].length
const rows = [
  row('durability', ({ about }) => about['durability'] ?? ''),
  row('accepted', ({ verdict }) => verdict.acked),
  row('requests sent again', ({ repeated }) => repeated),
  row('kill -9 of the database', ({ storeKills }) => storeKills),
  row('kill -9 of a worker', ({ workerKills }) => workerKills),
  row('runs', ({ verdict }) => verdict.runs),
  row('runs beyond the first', ({ verdict }) => verdict.extraRuns),
  row('✗ accepted and nowhere', broken('lost')),
  row('✗ accepted and not ended', broken('stuck')),
  row('✗ rows beyond the accepted', ({ rows, verdict }) => rows - verdict.acked),
  row('✗ took effect twice', broken('duplicate')),
  row('✗ ended otherwise', broken('wrongEnd')),
  row('✗ says against itself', ({ against }) => against.length),
  row('back to the next acceptance, p50 / max ms', ({ acceptsMs }) => spread(acceptsMs)),
  row('back to the next begin of a job, p50 / max ms', ({ beginsMs }) => spread(beginsMs)),
  row('seconds, drain included', ({ seconds }) => seconds.toFixed(1)),
]
console.log(`\n${table(['', ...tolls.map(({ store }) => store)], rows)}`)
const complaints = tolls.flatMap((toll) => findings(toll).map((line) => `${toll.store}: ${line}`))
for (const line of complaints) console.error(styleText('red', line))
process.exitCode = complaints.length === 0 ? 0 : 1
