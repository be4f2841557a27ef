import { actOnAll, type BulkFlags, filterOf, offerFilter } from '../bulk.ts'
import type { Define } from '../commands.ts'
import { each } from '../each.ts'

export const cancel: Define = (command, desk) => {
  offerFilter(command, ['scheduled', 'ready', 'running', 'waiting'])
    .argument('[id...]', 'jobs that have not ended; without, all that the flags describe')
    .action(async (ids: string[], flags: BulkFlags) => {
      const filter = filterOf(ids, flags)
      const { print } = desk
      const by = desk.by(flags.note)
      await using errand = await desk.errand()
      const act = { act: 'cancel', did: 'cancelled, or asked to end' } as const
      if (filter) return await actOnAll(act, filter, { errand, print, ...flags, by })
      await each(ids, print, async (id) => {
        const answer = await errand.client.cancel(id, { by })
        return answer === 'asked' ? 'is running: its worker was asked' : 'cancelled'
      })
    })
}
