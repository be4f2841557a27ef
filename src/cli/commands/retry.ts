import { ErrandError } from '../../job/errors.ts'
import { actOnAll, type BulkFlags, filterOf, offerFilter } from '../bulk.ts'
import type { Define } from '../commands.ts'
import { each } from '../each.ts'
import { readJson } from '../json.ts'

export const retry: Define = (command, desk) => {
  offerFilter(command, ['failed', 'cancelled'])
    .argument(
      '[id...]',
      'failed or cancelled jobs; without, all failed ones that the flags describe',
    )
    .option('--input <json>', 'another input, for one job; - reads it from standard input')
    .action(async (ids: string[], { input: said, ...flags }: BulkFlags & { input?: string }) => {
      const filter = filterOf(ids, flags)
      if (said !== undefined && ids.length !== 1)
        throw new ErrandError('INVALID_OPTION', { option: 'input', problem: 'is for one job' })
      const { print } = desk
      const by = desk.by(flags.note)
      const input = said === undefined ? {} : { input: await readJson('input', said) }
      await using errand = await desk.errand()
      const act = { act: 'retry', did: 'retried' } as const
      if (filter) return await actOnAll(act, filter, { errand, print, ...flags, by })
      await each(ids, print, async (id) => {
        await errand.client.retry(id, { ...input, by })
        return 'retried'
      })
    })
}
