import { createHash } from 'node:crypto'
import { formatSpan } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import { Losses, toAdoptees, wordOf } from '../../job/moving.ts'
import { SCHEDULE } from '../../job/schedule.ts'
import { type About, type Lookout, PAUSE } from '../../store/contract.ts'
import type { Define } from '../commands.ts'
import { type Line, VERSION as FORMAT, writeLine } from '../move/lines.ts'
import { Outlet } from '../move/outlet.ts'
import { Progress } from '../move/progress.ts'
import { Stillness } from '../move/still.ts'
import { counted, type Print } from '../print.ts'
import { filesRoot } from '../rows.ts'
import { VERSION } from '../version.ts'

const PAGE = 1000
const PROBLEM = 'needs a name, or standard output a pipe'

export const exportJobs: Define = (command, desk) => {
  command.argument('[file]', 'where to; - or none: standard output').action(async (file = '-') => {
    if (file === '-' && process.stdout.isTTY)
      throw new ErrandError('INVALID_OPTION', { option: 'file', problem: PROBLEM })
    // Whoever reads the other end of a pipe may leave early: until the last line this is no export.
    process.exitCode = 1
    const print = file === '-' ? desk.print.aside() : desk.print
    await using errand = await desk.errand()
    const { store } = errand
    const still = await Stillness.begin(store)
    await using outlet = await Outlet.open(file)
    const from = performance.now()
    const written = await write(store, outlet, still, print)
    await outlet.finish()
    process.exitCode = 0
    const took = formatSpan(performance.now() - from)
    const { kind, location } = store.about
    print.show({ kind, location, ...written, ...(file !== '-' && { file }) }, () =>
      page(print, store.about, { ...written, took, folder: filesRoot(desk.settings) }),
    )
  })
}

type Written = {
  jobs: number
  aliases: number
  batches: number
  lost: number
  artifacts: number
  schedules: number
}

async function write(
  store: Lookout & { about: About },
  outlet: Outlet,
  still: Stillness,
  print: Print,
): Promise<Written> {
  const { kind, schema } = store.about
  const exportedAt = Date.now()
  const hash = createHash('sha256')
  const put = async (lines: readonly Line[]) => {
    const text = lines.map(writeLine).join('')
    hash.update(text)
    await outlet.write(text)
  }
  const head = { release: VERSION, kind, schema, exportedAt: new Date(exportedAt).toISOString() }
  await put([{ line: 'export', version: FORMAT, ...head }])

  using progress = new Progress(print, 'exporting', still.total)
  const written = { jobs: 0, aliases: 0, batches: 0, lost: 0, artifacts: 0, schedules: 0 }
  const losses = new Losses()
  // They stand behind all jobs: whom they are for is there by then.
  const words: Line[] = []
  let cursor: string | undefined
  do {
    const { jobs, aliases, batches, next } = await store.copy(PAGE, cursor)
    const leaving = jobs.flatMap((job) => losses.noted(job, toAdoptees(job, exportedAt)))
    const whole = batches.map((batch) => losses.toldTo(batch, exportedAt))
    leaving.push(...whole.flatMap(({ last }) => last ?? []))
    await put([
      ...leaving.map((job): Line => ({ line: 'job', ...job })),
      ...aliases.map((alias): Line => ({ line: 'alias', ...alias })),
      ...whole.map(({ batch }): Line => ({ line: 'batch', ...batch })),
    ])
    for (const job of jobs) {
      still.saw(job)
      written.artifacts += job.artifacts.length
      if (job.state === 'running') written.lost++
      const word = wordOf(job, exportedAt)
      if (word) words.push({ line: 'word', ...word })
    }
    written.jobs += leaving.length
    written.aliases += aliases.length
    written.batches += batches.length
    progress.add(jobs.length)
    cursor = next
  } while (cursor !== undefined)
  await put(words)
  const kept = [await store.entries(SCHEDULE), await store.entries(PAUSE)]
  const entries = kept.flatMap((of) => of.entries)
  await put(entries.map((entry): Line => ({ line: 'entry', ...entry })))
  written.schedules = entries.filter(({ kind }) => kind === SCHEDULE).length
  await still.check(store)
  const { jobs, aliases, batches } = written
  const counts = { jobs, aliases, batches, words: words.length, entries: entries.length }
  await outlet.write(writeLine({ line: 'end', ...counts, sha256: hash.digest('hex') }))
  return written
}

const page = (
  print: Print,
  { kind, location }: About,
  {
    jobs,
    batches,
    lost,
    artifacts,
    schedules,
    took,
    folder,
  }: Written & { took: string; folder: string },
) =>
  [
    `${print.paint('green', '✔')} ${counted(jobs, 'job')} exported from ${kind} ${location} in ${took}`,
    ...(batches > 0 ? [`  ${counted(batches, 'batch', 'batches')} with them`] : []),
    ...(schedules > 0 ? [`  ${counted(schedules, 'schedule')} with them`] : []),
    ...(lost > 0
      ? [
          `  ${counted(lost, 'run')} ended with a worker that died: decided as each policy says of a loss`,
        ]
      : []),
    ...(artifacts > 0
      ? [
          `  ${counted(artifacts, 'file')} left by jobs: named here, not copied; the bytes stay in ${folder}`,
        ]
      : []),
  ].join('\n')
