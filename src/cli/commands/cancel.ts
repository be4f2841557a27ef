import type { Define } from '../commands.ts'
import { each } from '../each.ts'

export const cancel: Define = (command, desk) => {
  command.argument('<id...>', 'jobs that have not ended').action(async (ids: string[]) => {
    await using errand = await desk.errand()
    await each(ids, desk.print, async (id) => {
      const answer = await errand.client.cancel(id)
      return answer === 'asked' ? 'is running: its worker was asked' : 'cancelled'
    })
  })
}
