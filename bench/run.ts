import { mkdir, writeFile } from 'node:fs/promises'
import { type Gate, gatesFor, judge, nameOf, type Verdict } from './lib/gates.ts'
import { runProgram } from './lib/programs.ts'
import { machine, type Measurement } from './lib/report.ts'
import { settings } from './lib/settings.ts'
import { median } from './lib/statistics.ts'
import { figure, table } from './lib/table.ts'

/** All benchmarks in turn, several times over: yardstick and Errand side by side, then the verdict. */
const BACKLOGS = settings.quick ? [10_000, 200_000] : [10_000, 1_000_000, 5_000_000]
const PROGRAMS = [
  ['raw.ts'],
  ['enqueue.ts'],
  ['process.ts', '--worker', 'inline'],
  ['process.ts', '--worker', 'executors'],
  ['pickup.ts'],
  ...BACKLOGS.map((waiting) => ['backlog.ts', '--waiting', `${waiting}`]),
]

// The program in front hears the interrupt too; its failure ends this one, after its folder is gone.
process.on('SIGINT', () => undefined)

const measurements = summarise(await measureAll())
const byName = new Map(
  measurements.map((measurement) => [nameOf(measurement), measurement.runs ?? []]),
)
const gates = gatesFor(BACKLOGS.at(0) ?? 0, BACKLOGS.at(-1) ?? 0)
const verdicts = gates.map((gate) => judge(gate, byName))

console.log(
  `\n${table(['measured', 'median', 'min–max', 'unit', 'store', 'durability'], measurements.map(measuredRow))}`,
)
console.log(`\n${table(['gate', 'median', 'min–max', 'bound', ''], verdicts.map(verdictRow))}`)
console.log(`\n${await save(measurements, verdicts)}`)
process.exitCode = verdicts.every(({ passed }) => passed) ? 0 : 1

async function measureAll(): Promise<Measurement[]> {
  const all: Measurement[] = []
  for (let run = 1; run <= settings.runs; run++)
    for (const [file = '', ...args] of PROGRAMS) {
      console.error(`run ${run} of ${settings.runs}: ${[file, ...args].join(' ')}`)
      const flags = ['--durability', settings.durability, ...(settings.quick ? ['--quick'] : [])]
      const measured = await runProgram(file, [...args, ...flags])
      for (const measurement of measured) console.log(JSON.stringify(measurement))
      all.push(...measured)
    }
  return all
}

/** One measurement of each kind: the median, with every run beside it. */
function summarise(all: readonly Measurement[]): Measurement[] {
  return [...Map.groupBy(all, nameOf).values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return []
    const runs = [first, ...rest].map(({ value }) => value)
    return [{ ...first, value: median(runs), runs }]
  })
}

function measuredRow({
  value,
  runs = [],
  unit,
  store,
  durability,
  ...measurement
}: Measurement): string[] {
  return [
    nameOf({ value, unit, store, durability, ...measurement }),
    figure(value),
    spread(runs),
    unit,
    store,
    durability,
  ]
}

function verdictRow({ gate, value, runs, passed }: Verdict): string[] {
  return [gate.name, figure(value), spread(runs), bound(gate), passed ? '✓ pass' : '✗ FAIL']
}

function spread(runs: readonly number[]): string {
  return `${figure(Math.min(...runs))}–${figure(Math.max(...runs))}`
}

function bound({ least, most }: Gate): string {
  return least === undefined ? `< ${most}` : `≥ ${least}`
}

async function save(measured: readonly Measurement[], judged: readonly Verdict[]): Promise<string> {
  const date = new Date().toISOString().slice(0, 10)
  const name = `${date}-sqlite-${settings.durability}${settings.quick ? '-quick' : ''}.json`
  const file = new URL(`results/${name}`, import.meta.url)
  const { durability, quick, runs } = settings
  await mkdir(new URL('.', file), { recursive: true })
  await writeFile(
    file,
    `${JSON.stringify({ date, durability, quick, runs, machine, measurements: measured, gates: judged }, undefined, 2)}\n`,
  )
  return `written to bench/results/${name}`
}
