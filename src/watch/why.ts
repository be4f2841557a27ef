import { readOwn } from '../base/json.ts'
import type { Job } from '../job/job.ts'
import { toPauseView } from '../job/pause.ts'
import { type Hand, type Why, whyOf } from '../job/why.ts'
import { AHEAD_MAX, type Lookout, PAUSE, type WorkerRow } from '../store/contract.ts'
import type { WorkerInfo } from './workers.ts'

type Looks = Pick<Lookout, 'workers' | 'ahead' | 'entries'>

/** Gathers what is needed to say why a job stands where it stands. */
export async function findWhy(lookout: Looks, job: Job): Promise<Why> {
  const now = Date.now()
  const facts = { job, now, aheadMax: AHEAD_MAX }
  if (job.state !== 'ready') return whyOf({ ...facts, ahead: 0, workers: [] })
  const [workers, ahead, { entries }] = await Promise.all([
    lookout.workers(),
    lookout.ahead(job.id),
    lookout.entries(PAUSE, { name: job.queue }),
  ])
  const hands = workers.filter(({ alive }) => alive).map(toHand)
  const pause = entries[0] && toPauseView(entries[0].value)
  return whyOf({ ...facts, ahead, workers: hands, ...(pause && { pause }) })
}

function toHand({ info, running }: WorkerRow): Hand {
  const { queues = [], concurrency = 1 } = readOwn<Partial<WorkerInfo>>(info, {})
  return { queues, places: concurrency, running }
}
