import { formatSpan } from '../../base/time.ts'
import { ErrandError } from '../../job/errors.ts'
import type { JobId } from '../../job/job.ts'
import type { Adopted, Store } from '../../store/contract.ts'
import type { Define } from '../commands.ts'
import { type Batch, Parcel } from '../move/parcel.ts'
import { Progress } from '../move/progress.ts'
import { refuseWorkers } from '../move/still.ts'
import type { Print } from '../print.ts'

const SHOWN_MAX = 100

type Refused = { id: JobId; why: Exclude<Adopted, 'adopted' | 'already'> }
type Taken = {
  jobs: number
  adopted: number
  already: number
  artifacts: number
  refused: number
  /** The first of them. */
  refusals: Refused[]
}

export const importJobs: Define = (command, desk) => {
  command
    .argument('[file]', 'what to take in; standard input unless said', '-')
    .action(async (file: string) => {
      const { print, settings } = desk
      if (file === '-' && process.stdin.isTTY)
        throw new ErrandError('INVALID_OPTION', {
          option: 'file',
          problem: 'needs a name, or a pipe',
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
        page(print, `${kind} ${location}`, { ...taken, took, files: settings.files }),
      )
      if (taken.refused > 0) throw new ErrandError('JOBS_REFUSED', { count: taken.refused })
    })
}

/** One batch is on its way while the next is read; never two, or they would arrive in another order. */
async function take(store: Store, parcel: Parcel, print: Print): Promise<Taken> {
  const taken: Taken = { jobs: 0, adopted: 0, already: 0, artifacts: 0, refused: 0, refusals: [] }
  const progress = new Progress(print, 'importing', parcel.end.jobs)
  const adopt = async ({ jobs, aliases }: Batch) => {
    const answers = await store.adopt(jobs, aliases)
    for (const [i, job] of jobs.entries()) count(taken, job.id, answers[i] ?? 'adopted')
    for (const { artifacts } of jobs) taken.artifacts += artifacts.length
    progress.add(jobs.length)
  }
  let sent = Promise.resolve()
  for await (const batch of parcel.batches()) {
    await sent
    sent = adopt(batch)
    // Heard by the next turn of this loop.
    sent.catch(() => undefined)
  }
  await sent
  progress.end()
  return taken
}

function count(taken: Taken, id: JobId, answer: Adopted): void {
  taken.jobs++
  if (answer === 'adopted' || answer === 'already') taken[answer]++
  else {
    taken.refused++
    if (taken.refusals.length < SHOWN_MAX) taken.refusals.push({ id, why: answer })
  }
}

const WHY: Record<Refused['why'], string> = {
  behind: 'is here as it stood at an earlier export',
  ID_TAKEN: 'is the id of another job here',
  UNIQUE_TAKEN: 'has a unique value that another job holds here',
}

const page = (
  print: Print,
  where: string,
  { adopted, already, artifacts, refusals, took, files }: Taken & { took: string; files: string },
) =>
  [
    `${print.paint('green', '✔')} ${adopted} jobs imported into ${where} in ${took}`,
    ...(already > 0 ? [`  ${already} were here already`] : []),
    ...refusals.map(({ id, why }) => `${print.paint('red', '✘')} ${id} ${WHY[why]}`),
    ...(artifacts > 0
      ? [
          `  ${artifacts} files are named, not copied: copy their bytes to ${files} unless they lie there`,
        ]
      : []),
  ].join('\n')
