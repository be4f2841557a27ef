import { Option } from 'commander'
import type { Priority } from '../../job/terms.ts'
import { ErrandError } from '../../job/errors.ts'
import { readSpan } from '../../job/options.ts'
import type { EnqueueOptions } from '../../job/prepare.ts'
import type { JobView } from '../../job/view.ts'
import { findApp, loadApp } from '../app.ts'
import type { Define } from '../commands.ts'
import { type BatchFlags, enqueueBatch } from '../batch-enqueue.ts'
import { readJson } from '../json.ts'
import { clean } from '../print.ts'

export const enqueue: Define = (command, desk) => {
  command
    .argument('<job>', 'the name of a definition of the app')
    .argument('[input]', 'JSON; - reads it from standard input', '{}')
    .option('--queue <name>', 'another queue than the definition says')
    .option('--priority <priority>', '0 to 9, lower runs sooner; or high, normal, low')
    .option('--delay <span>', "not before this has passed, such as '90s'")
    .option('--run-at <moment>', 'not before this moment, such as 2026-11-21T02:00:00Z')
    .option('--id <uuid>', 'your own id: repeated, it is the same job')
    .option('--unique <value>', 'join a job of this name that holds the same value')
    .option(
      '--tag <tag>',
      'may be given several times',
      (tag, tags: string[]) => [...tags, tag],
      [],
    )
    .option('--expires-in <span>', 'fail unless started within this span of being due')
    .option('--wait <span>', 'wait this long for the end, and print the result')
    .option('--batch <file>', 'many at once: one input a line, as JSON; - reads standard input')
    .option('--stop-after <number>', 'of a batch: begin no more once so many failed, or 5%')
    .option('--on-end <job>', 'of a batch: the job that its end inserts')
    .addOption(
      new Option('--invalid <what>', 'of a batch: what an item that does not fit does').choices([
        'refuse',
        'fail',
      ] as const),
    )
    .action(async (job: string, input: string, flags: Flags) => {
      const options = toOptions(flags)
      const waitMs = flags.wait === undefined ? undefined : readSpan('wait', flags.wait)
      const value = flags.batch === undefined ? await readJson('input', input) : undefined
      const { jobs } = await loadApp(findApp(desk.settings.app))

      await using errand = await desk.errand({ jobs })
      if (flags.batch !== undefined)
        return await enqueueBatch(
          { errand, print: desk.print },
          { job, flags, terms: options, waitMs },
        )
      const enqueued = await errand.client.enqueue(job, value, options)
      if (enqueued.joined) desk.print.note('joined a job that was there before')
      if (waitMs === undefined) return desk.print.show(enqueued, () => enqueued.id)

      const view = await errand.watch.ended(enqueued.id, waitMs)
      desk.print.show(view, () =>
        view.state === 'completed' ? clean(JSON.stringify(view.result ?? null, null, 2)) : '',
      )
      refuseUnlessCompleted(view)
    })
}

type Flags = {
  queue?: string
  priority?: string
  delay?: string
  runAt?: string
  id?: string
  unique?: string
  tag: string[]
  expiresIn?: string
  wait?: string
} & BatchFlags

const toOptions = ({
  queue,
  priority,
  delay,
  runAt,
  id,
  unique,
  tag,
  expiresIn,
}: Flags): EnqueueOptions => ({
  ...(queue !== undefined && { queue }),
  ...(priority !== undefined && { priority: toPriority(priority) }),
  ...(delay !== undefined && { delay: readSpan('delay', delay) }),
  ...(runAt !== undefined && { runAt }),
  ...(id !== undefined && { id }),
  ...(unique !== undefined && { unique }),
  ...(tag.length > 0 && { tags: tag }),
  ...(expiresIn !== undefined && { expiresIn: readSpan('expiresIn', expiresIn) }),
})

const WORDS = ['high', 'normal', 'low'] as const

const toPriority = (given: string): Priority =>
  WORDS.find((word) => word === given) ?? Number(given)

function refuseUnlessCompleted({ id, state, reason = 'error', error }: JobView): void {
  if (state === 'completed') return
  if (state === 'cancelled') throw new ErrandError('JOB_CANCELLED', { id })
  if (state !== 'failed') throw new ErrandError('RESULT_NOT_READY', { id, state })
  const why = error === undefined ? reason : `${reason} (${error.name}: ${error.message})`
  throw new ErrandError('JOB_FAILED', { id, reason: why })
}
