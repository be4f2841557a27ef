import { type Command, Option } from 'commander'
import type { Act, BulkDone, BulkFilter } from '../client/bulk.ts'
import type { By } from '../job/audit.ts'
import { ErrandError } from '../job/errors.ts'
import { type Reason, REASONS, type State } from '../job/state.ts'
import type { Errand } from '../open.ts'
import { Progress } from './move/progress.ts'
import { counted, type Print } from './print.ts'

/** Acts on all jobs that flags describe, to the end, however many calls it takes. */

export type BulkFlags = {
  state?: State
  job?: string
  queue?: string
  tag?: string
  reason?: Reason
  dryRun?: true
  note?: string
}

/** Lets a command say which jobs it means, instead of naming them. */
export const offerFilter = (command: Command, states: readonly State[]): Command =>
  offerTraits(command)
    .addOption(new Option('--state <state>', 'all in this state').choices(states))
    .option('--dry-run', 'count, change nothing')
    .option('--note <text>', 'why, for the audit log')

export const offerTraits = (command: Command): Command =>
  command
    .option('--job <name>', 'all of this definition')
    .option('--queue <name>', 'all of this queue')
    .option('--tag <tag>', 'all with this tag')
    .addOption(new Option('--reason <reason>', 'all that failed so').choices(REASONS))

/** Which jobs the flags describe; undefined when ids name them. @throws ErrandError INVALID_OPTION */
export function filterOf(
  ids: readonly string[],
  { dryRun: _, note: _note, ...filter }: BulkFlags,
): BulkFilter | undefined {
  const isDescribed = Object.keys(filter).length > 0
  if (ids.length > 0 && !isDescribed) return undefined
  if (ids.length === 0 && isDescribed) return filter
  throw new ErrandError('INVALID_OPTION', {
    option: 'id',
    problem: ids.length > 0 ? 'cannot stand beside a filter' : `needs a job, or ${FLAGS}`,
  })
}

const FLAGS = 'one of --state, --job, --queue, --tag and --reason'

export async function actOnAll(
  { act, did }: { act: Act; did: string },
  filter: BulkFilter,
  { errand, print, by, dryRun = false }: { errand: Errand; print: Print; by: By; dryRun?: boolean },
): Promise<void> {
  const total = await mostOf(errand, act, filter)
  const sum: Omit<BulkDone, 'next'> = { matched: 0, done: 0, refused: {} }
  {
    using progress = new Progress(print, act, total)
    for (let cursor: string | undefined, more = true; more;) {
      const options = { dryRun, by, ...(cursor !== undefined && { cursor }) }
      const part = await errand.client.bulk.run(act, filter, options)
      sum.matched += part.matched
      sum.done += part.done
      for (const [why, count] of Object.entries(part.refused))
        sum.refused[why] = (sum.refused[why] ?? 0) + count
      progress.add(part.matched)
      cursor = part.next
      more = cursor !== undefined
    }
  }
  print.show({ dryRun, ...sum }, () => tell(sum, dryRun ? `would be ${did}` : did, dryRun))
}

function tell({ matched, done, refused }: Omit<BulkDone, 'next'>, did: string, dryRun: boolean) {
  const whys = Object.entries(refused).map(([why, count]) => `${count} ${why}`)
  const left = whys.length > 0 ? `; left as they are: ${whys.join(', ')}` : ''
  return `${counted(dryRun ? matched : done, 'job')} ${did}${left}`
}

/** At most so many, from counters: a bar needs an end. */
async function mostOf({ watch }: Errand, act: Act, { state, queue }: BulkFilter): Promise<number> {
  const usual: readonly State[] =
    act === 'cancel' ? ['scheduled', 'waiting', 'ready', 'running'] : ['failed']
  const states = state === undefined ? usual : [state]
  const tallies = await watch.queues()
  return tallies
    .filter((tally) => queue === undefined || tally.queue === queue)
    .reduce((sum, tally) => sum + states.reduce((part, one) => part + tally[one], 0), 0)
}
