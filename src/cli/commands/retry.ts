import type { Define } from '../commands.ts'
import { each } from '../each.ts'

export const retry: Define = (command, desk) => {
  command.argument('<id...>', 'failed or cancelled jobs').action(async (ids: string[]) => {
    await using errand = await desk.errand()
    await each(ids, desk.print, async (id) => {
      await errand.client.retry(id)
      return 'retried'
    })
  })
}
