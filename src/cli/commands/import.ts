import { formatSpan } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import type { JobId } from '../../job/job.ts'
import { SCHEDULE } from '../../job/schedule.ts'
import { type Adopted, ENTRIES_MAX, type Entry, PAUSE, type Store } from '../../store/contract.ts'
import type { Define } from '../commands.ts'
import { Parcel, type Part } from '../move/parcel.ts'
import { Progress } from '../move/progress.ts'
import { refuseWorkers } from '../move/still.ts'
import { counted, type Print } from '../print.ts'
import { filesRoot } from '../rows.ts'

const SHOWN_MAX = 100
const PROBLEM = 'needs a name, or standard input a pipe'

type Refused = { id: JobId; why: Exclude<Adopted, 'adopted' | 'already'> | 'full' }
type Taken = {
  jobs: number
  adopted: number
  already: number
  artifacts: number
  batches: number
  /** Schedules that were not here. */
  schedules: number
  refused: number
  /** The first of them. */
  refusals: Refused[]
}

export const importJobs: Define = (command, desk) => {
  command
    .argument('[file]', 'what to take in; - or none: standard input')
    .action(async (file = '-') => {
      const { print, settings } = desk
      if (file === '-' && process.stdin.isTTY)
        throw new ErrandError('INVALID_OPTION', {
          option: 'file',
          problem: PROBLEM,
        })
      await using errand = await desk.errand()
      const { store } = errand
      await refuseWorkers(store)
      await using parcel = await Parcel.open(file, settings.data)
      // It may have taken its time.
      await refuseWorkers(store)
      const from = performance.now()
      const taken = await take(store, parcel, print)
      const took = formatSpan(performance.now() - from)
      const { kind, location } = store.about
      print.show({ kind, location, ...taken }, () =>
        page(print, `${kind} ${location}`, { ...taken, took, folder: filesRoot(settings) }),
      )
      if (taken.refused > 0)
        throw new ErrandError('JOBS_REFUSED', { count: taken.refused, total: taken.jobs })
    })
}

/** One part is on its way while the next is read; never two, or they would arrive in another order. */
async function take(store: Store, parcel: Parcel, print: Print): Promise<Taken> {
  const counts = { jobs: 0, adopted: 0, already: 0, artifacts: 0, batches: 0 }
  const taken: Taken = { ...counts, schedules: 0, refused: 0, refusals: [] }
  using progress = new Progress(print, 'importing', parcel.end.jobs)
  const adopt = async ({ jobs, aliases, batches, words, entries }: Part) => {
    const answers = await store.adopt(jobs, aliases, batches)
    taken.batches += batches.length
    taken.schedules += await keep(store, entries)
    for (const [i, job] of jobs.entries()) count(taken, job.id, answers[i] ?? 'adopted')
    // Whom they are for may have ended, or be gone: then nobody waits for them.
    const posted = words.length > 0 ? await store.post(words) : []
    for (const [i, { to }] of words.entries()) if (posted[i] === 'full') refuse(taken, to, 'full')
    for (const { artifacts } of jobs) taken.artifacts += artifacts.length
    progress.add(jobs.length)
  }
  let sent = Promise.resolve()
  for await (const part of parcel.parts()) {
    await sent
    sent = adopt(part)
    // Heard by the next turn of this loop.
    sent.catch(() => undefined)
  }
  await sent
  return taken
}

/** What is here under the same name stays as it is. @returns how many schedules were not here */
async function keep(store: Store, entries: readonly Entry[]): Promise<number> {
  const ours = [await store.entries(SCHEDULE), await store.entries(PAUSE)]
  const known = new Set(ours.flatMap((kept) => kept.entries.map(placeOf)))
  const missing = entries.filter((entry) => !known.has(placeOf(entry)))
  const puts = missing.length > 0 ? await store.put(missing) : []
  const full = puts.findIndex((put) => 'refused' in put && put.refused === 'full')
  if (full !== -1) {
    const code = missing[full]?.kind === PAUSE ? 'PAUSES_FULL' : 'SCHEDULES_FULL'
    throw new ErrandError(code, { max: ENTRIES_MAX })
  }
  return missing.filter(({ kind }) => kind === SCHEDULE).length
}

const placeOf = ({ kind, name }: Entry): string => `${kind} ${name}`

function count(taken: Taken, id: JobId, answer: Adopted): void {
  taken.jobs++
  if (answer === 'adopted' || answer === 'already') taken[answer]++
  else refuse(taken, id, answer)
}

function refuse(taken: Taken, id: JobId, why: Refused['why']): void {
  taken.refused++
  if (taken.refusals.length < SHOWN_MAX) taken.refusals.push({ id, why })
}

const WHY: Record<Refused['why'], string> = {
  behind: 'is here as it stood at an earlier export',
  ID_TAKEN: 'is the id of another job here',
  full: 'has a full mailbox: it hears nothing of a job that it called and that was lost',
  UNIQUE_TAKEN: 'has a unique value that another job holds here',
}

const page = (
  print: Print,
  where: string,
  {
    adopted,
    already,
    artifacts,
    batches,
    schedules,
    refusals,
    took,
    folder,
  }: Taken & { took: string; folder: string },
) =>
  [
    `${print.paint('green', '✔')} ${counted(adopted, 'job')} imported into ${where} in ${took}`,
    ...(batches > 0 ? [`  ${counted(batches, 'batch', 'batches')} with them`] : []),
    ...(schedules > 0 ? [`  ${counted(schedules, 'schedule')} with them`] : []),
    ...(already > 0 ? [`  ${counted(already, 'job')} here already: left as they are`] : []),
    ...refusals.map(({ id, why }) => `${print.paint('red', '✘')} ${id} ${WHY[why]}`),
    ...(artifacts > 0
      ? [
          `  ${counted(artifacts, 'file')} left by jobs: copy the bytes to ${folder} unless they lie there`,
        ]
      : []),
  ].join('\n')
