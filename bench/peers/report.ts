import { mkdir, writeFile } from 'node:fs/promises'
import { median } from '../lib/statistics.ts'
import { figure, table } from '../lib/table.ts'
import { FIGURES, type FigureName } from './names.ts'
import { figureNames, type Results } from './results.ts'
import type { ServerKind, System } from './systems.ts'
import type { Verdict } from './targets.ts'

const spread = (runs: readonly number[]) =>
  runs.length === 0 ? '' : `${figure(Math.min(...runs))}–${figure(Math.max(...runs))}`

/** One block a figure, one row a system. */
export function blocks(systems: readonly System[], results: Results): string {
  const headings = ['median', 'min–max', 'Errand : it', 'min–max', 'durability']
  return figureNames
    .map((name) => ({ name, rows: rowsOf(name, systems, results) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ name, rows }) => table([`${name} (${FIGURES[name]})`, ...headings], rows))
    .join('\n\n')
}

function rowsOf(name: FigureName, systems: readonly System[], results: Results): string[][] {
  return systems.flatMap((system) => {
    const runs = results.runs(system.id, name)
    if (runs.length === 0) return []
    const ratios = results.ratios(system, name)
    const ratio = ratios.length === 0 ? '' : figure(median(ratios))
    const { title, durability } = system
    return [[title, figure(median(runs)), spread(runs), ratio, spread(ratios), durability]]
  })
}

export function sentences(systems: readonly System[], results: Results): string {
  const leads = results.leads(systems)
  if (!results.hasRatios(systems)) return 'Nothing was measured that could be compared.'
  if (leads.length === 0) return 'No peer is ahead of Errand in what was measured.'
  const lines = leads.map(({ system, figure: name, value, errand, ratio }) => {
    const times = figure(ratio < 1 ? 1 / ratio : ratio)
    const figures = `${figure(value)} against ${figure(errand)} ${FIGURES[name]}`
    return `- ${system.title} is ahead by ${times} × at ${name}: ${figures}.`
  })
  return ['Where a peer is ahead:', ...lines].join('\n')
}

export function gates(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ name, server, value, runs, bound, passed }) =>
    runs.length === 0
      ? [name, server, 'not measured', '', bound, '']
      : [name, server, figure(value), spread(runs), bound, passed ? '✓ PASS' : '✗ FAIL'],
  )
  return table(['Errand', 'server', 'median', 'min–max', 'bound', ''], rows)
}

export type Document = {
  format: 'peers-report/1'
  date: string
  server: ServerKind
  quick: boolean
  rounds: number
  about: object
  systems: object[]
  leads: string[]
  gates: readonly Verdict[]
}

/** All of a run that is about one kind of server. */
export function documentOf(
  server: ServerKind,
  run: {
    systems: readonly System[]
    results: Results
    verdicts: readonly Verdict[]
    about: object & { versions: Record<string, string> }
    quick: boolean
    rounds: number
  },
): Document {
  const systems = run.systems.filter((system) => system.server === server)
  const { quick, rounds, about, results, verdicts } = run
  return {
    format: 'peers-report/1',
    date: new Date().toISOString().slice(0, 10),
    server,
    quick,
    rounds,
    about,
    systems: systems.map((system) => ({
      id: system.id,
      title: system.title,
      version: about.versions[system.id],
      durability: system.durability,
      settings: system.settings,
      figures: figureNames.flatMap((name) => {
        const runs = results.runs(system.id, name)
        const ratios = results.ratios(system, name)
        if (runs.length === 0) return []
        const against = ratios.length > 0 && { errandRatio: median(ratios), errandRatios: ratios }
        return [{ name, unit: FIGURES[name], median: median(runs), runs, ...against }]
      }),
    })),
    leads: sentences(systems, results).split('\n'),
    gates: verdicts.filter((verdict) => verdict.server === server && verdict.runs.length > 0),
  }
}

export async function save(document: Document): Promise<string> {
  const { date, server, quick } = document
  const name = `${date}-peers-${server}${quick ? '-quick' : ''}.json`
  const file = new URL(`../results/${name}`, import.meta.url)
  await mkdir(new URL('.', file), { recursive: true })
  await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`)
  return `bench/results/${name}`
}
