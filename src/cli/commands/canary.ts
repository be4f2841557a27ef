import { readSpan } from '../../job/options.ts'
import { canary as job } from '../canary.ts'
import type { Define } from '../commands.ts'

export const canary: Define = (command, desk) => {
  command
    .option('--queue <name>', 'through which queue', 'default')
    .option('--wait <span>', 'how long it may take', '5s')
    .action(async ({ queue, wait }: { queue: string; wait: string }) => {
      const waitMs = readSpan('wait', wait)
      await using errand = await desk.errand()
      const from = performance.now()
      const { id } = await errand.enqueue(job, null, { queue, expiresIn: `${waitMs}ms` })
      const { state } = await errand.ended(id, waitMs)
      const ms = Math.round(performance.now() - from)
      if (state === 'completed')
        return desk.print.show({ id, queue, ms }, () => `a job came through ${queue} in ${ms} ms`)
      const why = await errand.why(id)
      await errand.cancel(id).catch(() => undefined)
      desk.print.show(
        { id, queue, why },
        () => `no job came through ${queue} within ${wait}: ${why.text}`,
      )
      process.exitCode = 1
    })
}
