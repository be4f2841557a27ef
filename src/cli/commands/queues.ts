import type { Define } from '../commands.ts'
import { pausedText, queuesPage } from '../pages.ts'

export const queues: Define = (command, desk) => {
  command.action(async () => {
    await using errand = await desk.errand()
    const views = await errand.watch.queues()
    desk.print.show(views, () => queuesPage(desk.print, views))
  })
  command
    .command('pause')
    .description('Have a queue hand nothing out until it is resumed.')
    .argument('<queue>', 'the queue; it goes on taking jobs in')
    .option('--reason <text>', 'why, for all who look')
    .action(async (queue: string, { reason }: { reason?: string }) => {
      await using errand = await desk.errand()
      const why = reason === undefined ? {} : { reason }
      const { paused, already } = await errand.pauses.pause(queue, { ...why, by: desk.by() })
      if (already) desk.print.note('it was paused already, and stays so as it was')
      desk.print.show({ queue, paused, already }, () =>
        [`${queue} is paused,`, pausedText(desk.print, paused)].join(' '),
      )
    })
  command
    .command('resume')
    .description('Have a queue hand out again.')
    .argument('<queue>', 'the queue')
    .option('--note <text>', 'why, for the audit log')
    .action(async (queue: string, { note }: { note?: string }) => {
      await using errand = await desk.errand()
      const { already } = await errand.pauses.resume(queue, { by: desk.by(note) })
      desk.print.show({ queue, already }, () =>
        already ? `${queue} was not paused` : `${queue} hands out again`,
      )
    })
}
