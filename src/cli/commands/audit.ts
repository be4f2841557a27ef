import { ACTS } from '../../job/audit.ts'
import { readCount } from '../../job/options.ts'
import type { AuditView } from '../../watch/audit.ts'
import type { Define } from '../commands.ts'
import type { Desk } from '../desk.ts'
import { when } from '../pages.ts'
import { brief, counted, type Print } from '../print.ts'

export const audit: Define = (command, desk) => {
  command
    .option('--person <name>', 'only what this person did')
    .option('--act <act>', `only these: ${ACTS.join(', ')}`)
    .option('--job <id>', 'only what was done to this job')
    .option('--limit <number>', 'how many, 200 at most', '50')
    .option('--cursor <number>', 'where the page before ended')
    .option('--verify [head]', 'whether all is as it was written, since the head noted before')
    .action(async ({ limit, cursor, verify, ...filter }: Flags) => {
      if (verify !== undefined) return prove(desk, verify === true ? undefined : verify)
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

type Flags = {
  person?: string
  act?: string
  job?: string
  limit: string
  cursor?: string
  verify?: string | true
}

const WORDS = {
  altered: 'is not what was written',
  missing: 'is missing',
  unmarked: 'was not written by Errand',
}

async function prove(desk: Desk, head: string | undefined): Promise<void> {
  await using errand = await desk.errand()
  const check = await errand.watch.checkAudit(head)
  const { entries, by, faults } = check
  desk.print.show(check, () =>
    [
      ...faults.map(({ n, fault }) => desk.print.paint('red', `entry ${n} ${WORDS[fault]}`)),
      `${counted(entries, 'entry', 'entries')}: ${by.key} vouched for by a key, ${by['unknown key']} by one that is not here, ${by['no key']} by none`,
      ...(check.head === undefined
        ? []
        : [`note this where nobody here can write, and give it next time: --verify ${check.head}`]),
    ].join('\n'),
  )
  if (faults.length > 0) process.exitCode = 1
}

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
