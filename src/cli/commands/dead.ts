import { formatSpan } from '../../base/time.ts'
import type { BulkFilter } from '../../client/bulk.ts'
import { readCount } from '../../job/options.ts'
import type { JobView } from '../../job/view.ts'
import type { Errand } from '../../open.ts'
import { actOnAll, type BulkFlags, filterOf, offerFilter, offerTraits } from '../bulk.ts'
import type { Define } from '../commands.ts'
import { each } from '../each.ts'
import { brief, type Print } from '../print.ts'
import { retry } from './retry.ts'

/** The dead letters: jobs that failed for good, and wait for a person. */
export const dead: Define = (command, desk) => {
  // Flags of the list itself would be taken from what stands behind the others.
  offerTraits(
    command.command('list', { isDefault: true }).description('Show them: so unless said.'),
  )
    .option('--limit <number>', 'how many, 200 at most', '50')
    .option('--cursor <text>', 'where the page before ended')
    .action(async ({ limit, cursor, job, queue, tag, reason }: Flags) => {
      const size = readCount('limit', Number(limit), { min: 1, max: 200 })
      const filter: BulkFilter = {
        state: 'failed',
        ...(job && { job }),
        ...(queue && { queue }),
        ...(tag && { tag }),
      }
      await using errand = await desk.errand()
      const { jobs, next } = await errand.watch.list(filter, size, cursor)
      const fitting = jobs.filter((view) => reason === undefined || view.reason === reason)
      const data = await Promise.all(fitting.map((view) => withFirstError(errand, view)))
      desk.print.show({ data, ...(next !== undefined && { nextCursor: next }) }, () =>
        page(desk.print, data),
      )
      if (next !== undefined) desk.print.note(`there may be more: --cursor ${next}`)
    })
  retry(command.command('retry').description('Give them another life, under the same id.'), desk)
  offerFilter(command.command('discard').description('Erase them.'), ['failed', 'cancelled'])
    .argument(
      '[id...]',
      'failed or cancelled jobs; without, all failed ones that the flags describe',
    )
    .action(async (ids: string[], flags: BulkFlags) => {
      const filter = filterOf(ids, flags)
      const { print } = desk
      const by = desk.by(flags.note)
      await using errand = await desk.errand()
      const act = { act: 'discard', did: 'discarded' } as const
      if (filter) return await actOnAll(act, filter, { errand, print, ...flags, by })
      await each(ids, print, async (id) => {
        await errand.client.discard(id, { by })
        return 'discarded'
      })
    })
}

type Flags = BulkFlags & { limit: string; cursor?: string }
type Letter = JobView & { firstError?: JobView['error'] }

/** What went wrong at first often says more than what went wrong in the end. */
async function withFirstError({ watch }: Errand, view: JobView): Promise<Letter> {
  const attempts = await watch.attempts(view.id).catch(() => [])
  const { stack: _, ...firstError } = attempts.find(({ error }) => error)?.error ?? {}
  const isFailure = 'message' in firstError
  return { ...view, ...(isFailure && { firstError }) }
}

const page = (print: Print, letters: readonly Letter[]) =>
  letters.length === 0
    ? 'no dead letters'
    : print.table(
        ['ID', 'JOB', 'QUEUE', 'REASON', 'ATTEMPTS', 'AGE', 'ERROR', 'AT FIRST'],
        letters.map((letter) => row(print, letter)),
      )

function row(print: Print, { error, firstError, ...view }: Letter): string[] {
  const { id, job, queue, reason = '', attempt, attemptsMax, endedAt } = view
  const first = firstError?.message === error?.message ? '' : (firstError?.message ?? '')
  return [
    id,
    job,
    queue,
    print.paint('red', reason),
    `${attempt}/${attemptsMax}`,
    endedAt === undefined ? '' : formatSpan(Date.now() - Date.parse(endedAt)),
    brief(error?.message ?? ''),
    brief(first, 40),
  ]
}
