import type { Define } from '../commands.ts'
import { workersPage } from '../pages.ts'

export const workers: Define = (command, desk) => {
  command.action(async () => {
    await using errand = await desk.errand()
    const views = await errand.watch.workers()
    desk.print.show(views, () => workersPage(desk.print, views))
  })
}
