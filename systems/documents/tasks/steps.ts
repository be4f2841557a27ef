import type { JobView } from 'errand'
import { checkPicture, picture, resizePicture } from '../pictures/contract.ts'
import { exportTable, weeklyReport } from '../exports/contract.ts'
import { fileChain, notifyFile, processFile, validateFile } from '../files/contract.ts'
import { statusOf } from './task.ts'

/** What each chain does, in its order. */
const CHAINS: Record<string, readonly { name: string; job: string }[]> = {
  [fileChain.name]: [
    { name: 'validate', job: validateFile.name },
    { name: 'process', job: processFile.name },
    { name: 'notify', job: notifyFile.name },
  ],
  [picture.name]: [
    { name: 'check', job: checkPicture.name },
    { name: 'resize', job: resizePicture.name },
  ],
  [weeklyReport.name]: [{ name: 'export', job: exportTable.name }],
}

/**
 * The links of a chain and how each stands; one that nobody has called yet waits for those before it, and will never be
 * called where the chain has ended.
 */
export function stepsOf(
  { job, state }: Pick<JobView, 'job' | 'state'>,
  called: readonly JobView[],
) {
  const isOver = ['failed', 'cancelled'].includes(state)
  return (CHAINS[job] ?? []).flatMap((link) => {
    const jobs = called.filter((one) => one.job === link.job)
    if (jobs.length === 0) return [{ name: link.name, status: isOver ? 'REVOKED' : 'WAITING' }]
    return jobs.map((one) => ({ name: link.name, status: statusOf(one), attempt: one.attempt }))
  })
}
