import { type PauseView, toPauseView } from '../job/pause.ts'
import { type Lookout, PAUSE, type Tally } from '../store/contract.ts'

/** What lies in a queue; `paused` where it hands nothing out. */
export type QueueView = Tally & { paused?: PauseView }

/** A queue may be paused before it has seen a job. */
const empty = (queue: string): Tally => ({
  queue,
  accepted: 0,
  scheduled: 0,
  ready: 0,
  running: 0,
  waiting: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  erased: 0,
})

/** All queues that have seen a job or are paused, by name. */
export async function readQueues(
  lookout: Pick<Lookout, 'tally' | 'entries'>,
): Promise<QueueView[]> {
  const [tallies, { entries }] = await Promise.all([lookout.tally(), lookout.entries(PAUSE)])
  if (entries.length === 0) return tallies
  const queues = new Map<string, QueueView>(tallies.map((tally) => [tally.queue, tally]))
  for (const { name, value } of entries)
    queues.set(name, { ...(queues.get(name) ?? empty(name)), paused: toPauseView(value) })
  return [...queues.values()].toSorted((a, b) => (a.queue < b.queue ? -1 : 1))
}
