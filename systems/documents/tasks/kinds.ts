import { type Definition, type Desk, ErrandError, type JobView } from 'errand'
import { documentPdf } from '../contract.ts'
import { exportTable, weeklyReport } from '../exports/contract.ts'
import { fileChain } from '../files/contract.ts'
import { importContacts } from '../imports/contract.ts'
import { picture } from '../pictures/contract.ts'

/** What people may ask for here, and the job that does it. Jobs that those call are no tasks of their own. */
export const KINDS: Record<string, Definition> = {
  pdf: documentPdf,
  file: fileChain,
  export: exportTable,
  report: weeklyReport,
  import: importContacts,
  picture,
}

export const kindOf = ({ job }: Pick<JobView, 'job'>): string | undefined =>
  Object.keys(KINDS).find((kind) => KINDS[kind]?.name === job)

/**
 * The job behind a task id of this API, if it is theirs who ask.
 * @throws ErrandError JOB_NOT_FOUND, also for other jobs' ids
 */
export async function findTask(errand: Desk, taskId: string, tenant: string): Promise<JobView> {
  const view = await errand.job(taskId, tenant)
  if (kindOf(view) === undefined) throw new ErrandError('JOB_NOT_FOUND', { id: taskId })
  return view
}

export const ownedBy = (tenant: string) => (tenant === '' ? {} : { tenant })
