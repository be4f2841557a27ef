import type { Client } from '../client/client.ts'
import type { Enqueued } from '../client/enqueued.ts'
import { ErrandError, hasCode } from '../job/errors.ts'
import type { EnqueueOptions } from '../job/prepare.ts'

type Submission = { job: string; input: unknown; options: EnqueueOptions; key: string | undefined }

const ROUTE = 'POST /v1/jobs'

/** Enqueues what a request asked for; its refusals point into the request's body. */
export async function submit(
  client: Client,
  { job, input, options, key }: Submission,
): Promise<Enqueued> {
  if (key !== undefined && options.id !== undefined)
    throw new ErrandError('INVALID_OPTION', {
      option: 'id',
      problem: 'cannot stand beside an Idempotency-Key',
    })
  try {
    return await pointing(() =>
      key === undefined
        ? client.enqueue(job, input, options)
        : client.enqueueOnce(job, input, options, { route: ROUTE, key }),
    )
  } catch (error) {
    if (key !== undefined && hasCode(error, 'ID_TAKEN'))
      throw new ErrandError('IDEMPOTENCY_KEY_REUSED', {}, { cause: error })
    throw error
  }
}

/** What is wrong with an input is told as a place in the body that brought it. */
export async function pointing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw hasCode(error, 'INVALID_INPUT') ? underInput(error) : error
  }
}

function underInput({ details, issues, cause }: ErrandError<'INVALID_INPUT'>): ErrandError {
  const moved = issues.map((issue) => ({ ...issue, pointer: `/input${issue.pointer}` }))
  return new ErrandError('INVALID_INPUT', details, { issues: moved, cause })
}
