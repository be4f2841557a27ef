import type { OpenOptions } from '../open.ts'
import type { WorkerParts } from '../worker/worker.ts'
import type { Log } from './log.ts'

type Named = { id: string; job: string; queue: string; tenant: string }

/*
 * The life of every job as lines of the log, told by whoever saw it. Nothing that a job carries is in them. Where the
 * log leaves out such lines, nobody is asked to tell.
 */

export const tellEnqueued = (log: Log): Pick<OpenOptions, 'onEnqueued'> =>
  log.isLevelEnabled('debug')
    ? {
        onEnqueued: (job, { id, joined }) =>
          log.debug({ ...named(job), id, ...(joined && { joined }) }, 'enqueued'),
      }
    : {}

/** `started` and `settled` at debug; what failed for good at warn. */
export function tellAttempts(log: Log): Pick<WorkerParts, 'onBegun' | 'onSettled'> {
  const onBegun: WorkerParts['onBegun'] = (job) => log.debug(attempt(job), 'started')
  const onSettled: WorkerParts['onSettled'] = ({ job, outcome, ranMs, answer }) => {
    const reason = 'reason' in outcome && { reason: outcome.reason }
    if (outcome.to === 'failed' && answer === 'done')
      log.warn({ ...attempt(job), ...reason, ranMs, answer }, 'failed')
    else if (isTold)
      log.debug({ ...attempt(job), to: outcome.to, ...reason, ranMs, answer }, 'settled')
  }
  const isTold = log.isLevelEnabled('debug')
  return isTold ? { onBegun, onSettled } : { onSettled }
}

const attempt = (job: Named & { failures: number }) => ({
  ...named(job),
  attempt: job.failures + 1,
})

const named = ({ id, job, queue, tenant }: Named) => ({
  id,
  job,
  queue,
  ...(tenant !== '' && { tenant }),
})
