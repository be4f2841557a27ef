import type { Command } from 'commander'
import { formatSpan } from '../../base/time.ts'
import type { ScheduleView } from '../../client/schedule-view.ts'
import type { Schedules } from '../../client/schedules.ts'
import type { By } from '../../job/audit.ts'
import type { Define } from '../commands.ts'
import type { Desk } from '../desk.ts'
import { when } from '../pages.ts'
import { brief, type Print } from '../print.ts'
import { putSchedule } from '../put-schedule.ts'

export const schedules: Define = (command, desk) => {
  command.action(() =>
    within(desk, async (schedules) => {
      const views = await schedules.list()
      desk.print.show({ data: views }, () => page(desk.print, views))
    }),
  )
  putSchedule(command, desk)
  act(
    command,
    desk,
    'pause',
    'Fire it no more until it is resumed.',
    async (schedules, key, by) => {
      const view = await schedules.pause(key, { by })
      desk.print.show(view, () => `${key} is paused`)
    },
  )
  act(command, desk, 'resume', 'Fire it again from now on.', async (schedules, key, by) => {
    const view = await schedules.resume(key, { by })
    desk.print.show(view, () => `${key} fires next ${when(desk.print, view.nextAt ?? '')}`)
  })
  act(command, desk, 'run', 'Fire it now; its next moment stays.', async (schedules, key, by) => {
    const { id, joined } = await schedules.run(key, { by })
    if (joined) desk.print.note('joined a job that was there before')
    desk.print.show({ id, joined }, () => id)
  })
  act(command, desk, 'remove', 'Remove it, unless code defines it.', async (schedules, key, by) => {
    await schedules.remove(key, { by })
    desk.print.show({ name: key }, () => `${key} is gone`)
  })
  one(command, desk, 'preview', 'Show when it fires next.', async (schedules, key, { count }) => {
    const moments = await schedules.preview(key, Number(count))
    const { zone } = await schedules.get(key)
    desk.print.show({ data: moments }, () =>
      moments.map((at) => (zone ? `${at}  ${inZone(at, zone)}` : at)).join('\n'),
    )
  }).option('--count <number>', 'how many moments, 100 at most', '5')
}

type Flags = { count?: string; note?: string }
type Work = (schedules: Schedules, key: string, flags: Flags) => Promise<void>
type Act = (schedules: Schedules, key: string, by: By) => Promise<void>

const act = (command: Command, desk: Desk, name: string, about: string, work: Act): Command =>
  one(command, desk, name, about, (schedules, key, { note }) =>
    work(schedules, key, desk.by(note)),
  ).option('--note <text>', 'why, for the audit log')

const one = (command: Command, desk: Desk, name: string, about: string, work: Work): Command =>
  command
    .command(name)
    .description(about)
    .argument('<name>', 'the schedule; that of a tenant as <tenant>/<name>')
    .action((key: string, flags: Flags) => within(desk, (schedules) => work(schedules, key, flags)))

async function within(desk: Desk, work: (schedules: Schedules) => Promise<void>): Promise<void> {
  await using errand = await desk.errand()
  await work(errand.schedules)
}

const page = (print: Print, views: readonly ScheduleView[]) =>
  views.length === 0
    ? 'no schedules'
    : print.table(
        ['NAME', 'JOB', 'RULE', 'NEXT', 'LAST', 'FIRED', ''],
        views.map((view) => row(print, view)),
      )

const row = (print: Print, view: ScheduleView) => [
  view.tenant === undefined ? view.name : brief(`${view.tenant}/${view.name}`),
  view.job,
  brief(ruleOf(view)),
  view.paused
    ? print.paint('yellow', 'paused')
    : view.nextAt
      ? when(print, view.nextAt)
      : 'never again',
  view.last ? when(print, view.last.at) : '',
  `${view.fired}`,
  brief(remark(view)),
]

const ruleOf = ({ cron, zone, everyMs = 0 }: ScheduleView) =>
  cron === undefined ? `every ${formatSpan(everyMs)}` : `${cron} ${zone}`

const remark = ({ fromCode, missedCount, skippedCount }: ScheduleView) =>
  [
    ...(fromCode ? ['in code'] : []),
    ...(missedCount > 0 ? [`${missedCount} missed`] : []),
    ...(skippedCount > 0 ? [`${skippedCount} skipped`] : []),
  ].join(', ')

/** As the wall shows it there. */
const inZone = (at: string, zone: string): string =>
  Temporal.Instant.from(at).toZonedDateTimeISO(zone).toString({ smallestUnit: 'second' })
