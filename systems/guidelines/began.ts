import type { Desk, JobView } from 'errand'

/** They end no life of a job, and are not counted among its failures. */
const UNCOUNTED: readonly string[] = ['released', 'crashed', 'lost']

/**
 * When a job first ran; nothing where none has run it. A worker without its handler, or without its keys, only puts it
 * aside, and one that is held leaves no attempt, but what it logged. A person's retry begins another life.
 */
export async function beganAt(errand: Seen, view: JobView): Promise<string | undefined> {
  const { id, state, startedAt } = view
  if (startedAt === undefined) return undefined
  const [attempts, first] = await Promise.all([errand.attempts(id), errand.logs(id, { limit: 1 })])
  const before = lastLife(view, attempts)
  const lines = before === 0 ? first : await errand.logs(id)
  const inThis = ({ fence }: { fence: number }) => fence > before
  const known = state === 'running' || state === 'completed' ? [startedAt] : []
  const times = [attempts.find(inThis)?.startedAt, lines.find(inThis)?.at, ...known]
  return times.filter((at) => at !== undefined).toSorted()[0]
}

type Seen = Pick<Desk, 'attempts' | 'logs'>
type Attempts = Awaited<ReturnType<Seen['attempts']>>

/** The fence under which its life before this one ended; 0 in its first. */
function lastLife({ state, attempt, endedAt }: JobView, attempts: Attempts): number {
  const own = state === 'failed' || attempts.at(-1)?.endedAt === endedAt
  let failures = own ? attempt : attempt - 1
  const end = attempts.findLast(({ outcome }) => !UNCOUNTED.includes(outcome) && failures-- === 0)
  return end?.fence ?? 0
}
