import { Option } from 'commander'
import type { BatchView } from '../../job/batch.ts'
import { readCount, readSpan } from '../../job/options.ts'
import type { Define } from '../commands.ts'
import { batchPage, batchesPage, watchBatch } from '../batch-pages.ts'
import { errorLines } from '../../http/batch-errors.ts'

export const batches: Define = (command, desk) => {
  const { print } = desk
  command
    .argument('[id]', 'one batch, with bars; none: all, the newest first')
    .option('--wait <span>', 'watch until it has ended, or this long')
    .option('--errors', 'write what failed as CSV, by place')
    .addOption(new Option('--cancel', 'begin no more of its items').conflicts('retry'))
    .option('--retry', 'give its failed items another life')
    .option('--note <text>', 'why, for the audit log')
    .option('--limit <number>', 'how many, 200 at most', '50')
    .option('--cursor <text>', 'where the page before ended')
    .action(async (id: string | undefined, flags: Flags) => {
      const size = readCount('limit', Number(flags.limit), { min: 1, max: 200 })
      const waitMs = flags.wait === undefined ? 0 : readSpan('wait', flags.wait)
      await using errand = await desk.errand()
      if (id === undefined) {
        const { batches: data, next } = await errand.watch.batches({}, size, flags.cursor)
        print.show({ data, ...(next !== undefined && { nextCursor: next }) }, () =>
          batchesPage(print, data),
        )
        if (next !== undefined) print.note(`there may be more: --cursor ${next}`)
        return
      }
      if (flags.errors) return await writeErrors(errand.watch, await errand.watch.batch(id))
      const by = desk.by(flags.note)
      if (flags.cancel) await errand.cancelBatch(id, { by })
      const retried = flags.retry ? await errand.retryBatch(id, { by }) : undefined
      const view = await watchBatch(print, errand.watch, id, waitMs)
      const told = { ...view, ...(retried !== undefined && { retried }) }
      print.show(told, () => batchPage(print, view))
    })
}

type Flags = {
  wait?: string
  errors?: boolean
  cancel?: boolean
  retry?: boolean
  note?: string
  limit: string
  cursor?: string
}

async function writeErrors(watch: Parameters<typeof errorLines>[0], view: BatchView) {
  for await (const lines of errorLines(watch, view)) process.stdout.write(lines)
}
