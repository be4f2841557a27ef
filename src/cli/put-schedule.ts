import { type Command, Option } from 'commander'
import { readSpan } from '../job/options.ts'
import {
  MISSED,
  type Missed,
  type Overlap,
  OVERLAPS,
  type ScheduleOptions,
} from '../job/schedule.ts'
import { findApp, loadApp } from './app.ts'
import type { Desk } from './desk.ts'
import { readJson } from './json.ts'
import { when } from './pages.ts'

/** `errand schedules put`: a schedule that no code names. */
export const putSchedule = (command: Command, desk: Desk): Command =>
  command
    .command('put')
    .description('Set one up, or put it in the place of the one of this name.')
    .argument('<name>', 'the schedule')
    .argument('<job>', 'the name of a definition of the app')
    .argument('[input]', 'JSON; - reads it from standard input', '{}')
    .option('--cron <rule>', "five fields, or six with seconds first, such as '0 2 * * *'")
    .option('--zone <name>', 'an IANA zone for the rule; that of the app unless said')
    .option('--every <span>', "instead of a rule, such as '90s'")
    .option('--start <moment>', 'where a span begins, such as 2026-11-21T02:00:00Z')
    .option('--tenant <tenant>', 'whose it is')
    .option('--queue <name>', 'another queue than the definition says')
    .addOption(
      new Option('--missed <what>', 'what becomes of moments when nobody was up').choices(MISSED),
    )
    .option('--missed-within <span>', 'how old such a moment may be')
    .addOption(
      new Option('--overlap <what>', 'while the run before has not ended').choices(OVERLAPS),
    )
    .option('--note <text>', 'why, for the audit log')
    .action(async (name: string, job: string, input: string, { note, ...flags }: Flags) => {
      const value = await readJson('input', input)
      const { jobs, timeZone } = await loadApp(findApp(desk.settings.app))
      const zone = timeZone === undefined ? {} : { timeZone }
      await using errand = await desk.errand({ jobs, ...zone })
      const by = { by: desk.by(note) }
      const { view } = await errand.schedules.put(name, job, value, toOptions(flags), by)
      desk.print.show(view, () => `${name} fires next ${when(desk.print, view.nextAt ?? '')}`)
    })

type Flags = {
  cron?: string
  zone?: string
  every?: string
  start?: string
  tenant?: string
  queue?: string
  missed?: Missed
  missedWithin?: string
  overlap?: Overlap
  note?: string
}

const toOptions = ({ every, missedWithin, ...as }: Omit<Flags, 'note'>): ScheduleOptions => ({
  ...as,
  ...(every !== undefined && { every: readSpan('every', every) }),
  ...(missedWithin !== undefined && { missedWithin: readSpan('missedWithin', missedWithin) }),
})
