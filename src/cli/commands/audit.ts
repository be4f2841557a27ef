import { ACTS } from '../../job/audit.ts'
import { readCount } from '../../job/options.ts'
import type { AuditView } from '../../watch/audit.ts'
import type { Define } from '../commands.ts'
import { when } from '../pages.ts'
import { brief, counted, type Print } from '../print.ts'

export const audit: Define = (command, desk) => {
  command
    .option('--person <name>', 'only what this person did')
    .option('--act <act>', `only these: ${ACTS.join(', ')}`)
    .option('--job <id>', 'only what was done to this job')
    .option('--limit <number>', 'how many, 200 at most', '50')
    .option('--cursor <number>', 'where the page before ended')
    .action(async ({ limit, cursor, ...filter }: Flags) => {
      const size = readCount('limit', Number(limit), { min: 1, max: 200 })
      const before = cursor === undefined ? undefined : readCount('cursor', Number(cursor))
      await using errand = await desk.errand()
      const { entries: data, next } = await errand.watch.audit(filter, size, before)
      desk.print.show({ data, ...(next !== undefined && { nextCursor: `${next}` }) }, () =>
        page(desk.print, data),
      )
      if (next !== undefined) desk.print.note(`there may be more: --cursor ${next}`)
    })
}

type Flags = { person?: string; act?: string; job?: string; limit: string; cursor?: string }

const page = (print: Print, entries: readonly AuditView[]) =>
  entries.length === 0
    ? 'nothing was written down'
    : print.table(
        ['WHEN', 'WHO', 'BY', 'DID', 'TO', 'NOTE'],
        entries.map((entry) => [
          when(print, entry.at),
          brief(entry.person ?? '–'),
          brief(entry.from ?? '–'),
          brief(`${entry.act}${entry.signal === undefined ? '' : ` ${entry.signal}`}`),
          brief(aboutWhat(entry)),
          brief(entry.note ?? ''),
        ]),
      )

const aboutWhat = ({ jobs, batch, schedule, queue, limit }: AuditView): string =>
  batch ??
  schedule ??
  queue ??
  limit ??
  (jobs.length === 1 ? `${jobs[0]}` : counted(jobs.length, 'job'))
