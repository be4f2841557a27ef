import { actOnAll, type BulkFlags, filterOf, offerFilter } from '../bulk.ts'
import type { Define } from '../commands.ts'
import { each } from '../each.ts'

export const retry: Define = (command, desk) => {
  offerFilter(command, ['failed', 'cancelled'])
    .argument(
      '[id...]',
      'failed or cancelled jobs; without, all failed ones that the flags describe',
    )
    .action(async (ids: string[], flags: BulkFlags) => {
      const filter = filterOf(ids, flags)
      const { print } = desk
      await using errand = await desk.errand()
      const act = { act: 'retry', did: 'retried' } as const
      if (filter) return actOnAll(act, filter, { errand, print, ...flags })
      await each(ids, print, async (id) => {
        await errand.client.retry(id)
        return 'retried'
      })
    })
}
