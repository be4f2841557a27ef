import type { Define } from '../commands.ts'
import { queuesPage } from '../pages.ts'

export const queues: Define = (command, desk) => {
  command.action(async () => {
    await using errand = await desk.errand()
    const tallies = await errand.watch.queues()
    desk.print.show(tallies, () => queuesPage(desk.print, tallies))
  })
}
