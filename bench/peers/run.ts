import { temporaryFolder } from '../lib/programs.ts'
import { figure } from '../lib/table.ts'
import { Grounds } from './grounds.ts'
import { TAKE } from './measures.ts'
import { provide } from './provide.ts'
import { blocks, documentOf, gates, save, sentences } from './report.ts'
import { Results } from './results.ts'
import { settings } from './settings.ts'
import { Program } from './talk.ts'
import { judge, TARGETS } from './targets.ts'

/** Errand beside other job queues: they take turns on servers of the run's own, then the verdict. */
const { systems, measures, rounds, quick, json } = settings

// Ends the programs: theirs ends this one, after its servers and folders are gone.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => Program.interrupt())

const about = provide(systems)
const results = new Results()
const failure = await measureAll().then(
  () => undefined,
  (error: unknown) => error,
)
// An hour's figures are worth a look even then; but nothing is kept of half a run.
if (failure !== undefined) {
  console.error(blocks(systems, results))
  throw failure
}

const kinds = [...new Set(systems.map(({ server }) => server))]
const verdicts = TARGETS.filter(({ server }) => kinds.includes(server)).map((target) =>
  judge(target, results),
)
const run = { systems, results, verdicts, about, quick, rounds }
const documents = kinds.map((server) => documentOf(server, run))
const files = await Promise.all(documents.map(save))

if (json) console.log(JSON.stringify(documents, undefined, 2))
else {
  for (const { id, title, settings } of systems)
    console.log(`${title}: ${about.versions[id]}; ${settings}`)
  console.log(`\n${blocks(systems, results)}`)
  console.log(`\n${sentences(systems, results)}`)
  if (verdicts.length > 0) console.log(`\n${gates(verdicts)}`)
  if (quick)
    console.log('\nA quick run: its figures are not to be quoted, and its gates say little.')
  console.log(`\nwritten to ${files.join(', ')}`)
}
process.exitCode = verdicts.every(({ runs, passed }) => passed || runs.length === 0) ? 0 : 1

async function measureAll(): Promise<void> {
  await using folder = await temporaryFolder()
  await using grounds = new Grounds(folder.path)
  for (let round = 0; round < rounds; round++)
    for (const measure of measures)
      for (const system of rotated(systems, round)) {
        const figures = await TAKE[measure](system, grounds)
        results.add(system, round, figures)
        const said = Object.entries(figures).map(([name, value]) => `${name}: ${figure(value)}`)
        if (said.length > 0)
          console.error(`${round + 1}/${rounds} ${system.title}: ${said.join(' · ')}`)
      }
}

/** So that nobody always comes first, or always after the same neighbour's mess. */
function rotated<T>(all: readonly T[], by: number): T[] {
  const at = by % Math.max(1, all.length)
  return [...all.slice(at), ...all.slice(0, at)]
}
