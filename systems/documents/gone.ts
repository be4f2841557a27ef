import { hasCode } from 'errand'

const GONE = ['JOB_NOT_FOUND', 'ARTIFACT_NOT_FOUND', 'BATCH_NOT_FOUND'] as const

/** Jobs, batches and files are erased when their time is over; that is no error here. */
export async function orGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (GONE.some((code) => hasCode(error, code))) return undefined
    throw error
  }
}
