import { Option } from 'commander'
import { readCount } from '../../job/options.ts'
import { type State, STATES } from '../../job/state.ts'
import type { JobView } from '../../job/view.ts'
import type { Define } from '../commands.ts'
import { when } from '../pages.ts'
import { brief, type Print } from '../print.ts'

export const jobs: Define = (command, desk) => {
  command
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(STATES))
    .option('--job <name>', 'only jobs of this definition')
    .option('--queue <name>', 'only jobs of this queue')
    .option('--tag <tag>', 'only jobs with this tag')
    .option('--limit <number>', 'how many, 200 at most', '50')
    .option('--cursor <text>', 'where the page before ended')
    .action(async ({ limit, cursor, state, job, queue, tag }: Flags) => {
      const size = readCount('limit', Number(limit), { min: 1, max: 200 })
      const filter = {
        ...(state && { state }),
        ...(job && { job }),
        ...(queue && { queue }),
        ...(tag && { tag }),
      }
      await using errand = await desk.errand()
      const { jobs: data, next } = await errand.watch.list(filter, size, cursor)
      desk.print.show({ data, ...(next !== undefined && { nextCursor: next }) }, () =>
        page(desk.print, data),
      )
      if (next !== undefined) desk.print.note(`there may be more: --cursor ${next}`)
    })
}

type Flags = {
  state?: State
  job?: string
  queue?: string
  tag?: string
  limit: string
  cursor?: string
}

const page = (print: Print, views: readonly JobView[]) =>
  views.length === 0
    ? 'no such jobs'
    : print.table(
        ['ID', 'JOB', 'QUEUE', 'STATE', 'ATTEMPT', 'CREATED', ''],
        views.map((view) => row(print, view)),
      )

const row = (print: Print, view: JobView) => [
  view.id,
  view.job,
  view.queue,
  print.state(view.state),
  `${view.attempt}/${view.attemptsMax}`,
  when(print, view.createdAt),
  brief(remark(view)),
]

function remark({ reason, error, progress, waitingFor, withErrors, cancelAsked }: JobView): string {
  if (reason !== undefined) return error === undefined ? reason : `${reason}: ${error.message}`
  if (withErrors) return 'with errors'
  if (cancelAsked) return 'cancel asked'
  if (waitingFor !== undefined) return `for ${waitingFor}`
  const { done, total, status = '' } = progress ?? {}
  return done === undefined
    ? status
    : `${done}${total === undefined ? '' : ` of ${total}`} ${status}`
}
