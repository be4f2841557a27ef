import { parseArgs, styleText } from 'node:util'
import { storeNamed } from '../../test/support/stores.ts'
import { temporaryFolder } from '../lib/programs.ts'
import { table } from '../lib/table.ts'
import { LAWS, type Tale, wind } from './clockwork.ts'

/** Kills workers with -9 while schedules of each second fire, and counts how often each moment was fired. */
const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite,redis,postgres' },
    seconds: { type: 'string', default: '120' },
    workers: { type: 'string', default: '5' },
    schedules: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
})
const [seconds, workers, schedules, seed] = [
  values.seconds,
  values.workers,
  values.schedules,
  values.seed,
].map(Number)
if (!seconds || !workers || !schedules || !seed)
  throw new Error('--seconds, --workers, --schedules and --seed need numbers')

const tales: Tale[] = []
for (const store of values.store.split(',').map(storeNamed)) {
  console.error(`${store}: ${schedules} schedules of each second, ${seconds} s, seed ${seed} …`)
  await using folder = await temporaryFolder()
  tales.push(await wind(folder.path, { store, seconds, workers, schedules, seed }))
}

const row = (name: string, value: (tale: Tale) => string | number) => [
  name,
  ...tales.map((tale) => `${value(tale)}`),
]
const laws = Object.keys(LAWS).filter((law): law is keyof typeof LAWS => law in LAWS)
const rows = [
  row('durability', ({ durability }) => durability),
  row('kill -9 of a worker', ({ kills }) => kills),
  row('moments that passed', ({ moments }) => moments),
  row('runs', ({ runs }) => runs),
  ...laws.map((law) => row(`✗ ${LAWS[law]}`, ({ broken }) => broken[law].length)),
  row('✗ says against itself', ({ against }) => against.length),
  row(
    'fired late, p50 / p99 / max ms',
    ({ lateMs: { p50, p99, max } }) => `${p50} / ${p99} / ${max}`,
  ),
]
console.log(`\n${table(['', ...tales.map(({ store }) => store)], rows)}`)
const complaints = tales.flatMap(({ store, broken, against }) =>
  [
    ...laws.flatMap((law) => broken[law].slice(0, 5).map((one) => `${law}: ${one}`)),
    ...against,
  ].map((line) => `${store}: ${line}`),
)
for (const line of complaints) console.error(styleText('red', line))
process.exitCode = complaints.length === 0 ? 0 : 1
