import { readOwn } from '../base/json.ts'
import type { Job } from '../job/job.ts'
import { type Hand, type Why, whyOf } from '../job/why.ts'
import { AHEAD_MAX, type Lookout, type WorkerRow } from '../store/contract.ts'
import type { WorkerInfo } from './views.ts'

/** Gathers what is needed to say why a job stands where it stands. */
export async function findWhy(lookout: Pick<Lookout, 'workers' | 'ahead'>, job: Job): Promise<Why> {
  const isReady = job.state === 'ready'
  const [workers, ahead] = isReady
    ? await Promise.all([lookout.workers(), lookout.ahead(job.id)])
    : [[], 0]
  const hands = workers.filter(({ alive }) => alive).map(toHand)
  return whyOf({ job, now: Date.now(), ahead, aheadMax: AHEAD_MAX, workers: hands })
}

function toHand({ info, running }: WorkerRow): Hand {
  const { queues = [], concurrency = 1 } = readOwn<Partial<WorkerInfo>>(info, {})
  return { queues, places: concurrency, running }
}
