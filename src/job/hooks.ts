import { derivedId, newId } from '../base/id.ts'
import { encodeJson } from '../base/json.ts'
import type { Failure } from './failure.ts'
import type { Claimed, Fence, JobId, NewJob, Subject } from './job.ts'
import { encodePolicy, type Hook, ownOf, type Policy, readPolicy } from './policy.ts'
import type { Ended as EndedState, Reason } from './state.ts'
import { publicFailure, readValue } from './view.ts'

/**
 * What the handler of a hook is given: which job ended and how, and what it had and left. `input`,
 * `result` and `error` are read from that job when the hook runs.
 */
export type Ended<Input = unknown, Result = unknown> = {
  id: JobId
  job: string
  state: EndedState
  reason?: Reason
  /** The fence of the ending: a later life of the same job ends under a higher one. */
  fence: Fence
  input: Input
  result?: Result
  error?: Omit<Failure, 'stack'>
}

type Ending = Pick<Claimed, 'id' | 'job' | 'tenant' | 'fence' | 'policy'>

/**
 * The job that the ending of another inserts: its `onSuccess` when it completed, else its `onFailure`.
 * Its id is derived from the ending, so that one ending has one hook.
 */
export function hookOf(subject: Ending, state: EndedState, reason?: Reason): NewJob | undefined {
  const { onSuccess, onFailure } = readPolicy(subject.policy)
  const hook = state === 'completed' ? onSuccess : onFailure
  return (
    hook && build(hook, derivedId('hook', subject.id, `${subject.fence}`), subject, state, reason)
  )
}

/** The same for a job that is cancelled while it does not run: nothing but the cancel itself is its ending. */
export function hookOfCancel(subject: Ending): NewJob | undefined {
  const { onFailure } = readPolicy(subject.policy)
  return onFailure && build(onFailure, newId(), subject, 'cancelled')
}

function build(
  { job, queue, priority, policy, limits }: Hook,
  id: JobId,
  subject: Ending,
  state: EndedState,
  reason?: Reason,
): NewJob {
  const { id: subjectId, job: name, tenant, fence } = subject
  const ended: Omit<Ended, 'input'> = {
    id: subjectId,
    job: name,
    state,
    ...(reason !== undefined && { reason }),
    fence,
  }
  return {
    id,
    job,
    queue,
    tenant,
    priority,
    input: encodeJson(ended) ?? new Uint8Array(),
    policy: encodePolicy(policy),
    subject: subjectId,
    ...(limits && { limits }),
  }
}

/** What travels of a definition that is another's hook. */
export const toHook = (definition: {
  name: string
  queue: string
  priority: number
  policy: Policy
}): Hook => ({
  job: definition.name,
  queue: definition.queue,
  priority: definition.priority,
  policy: ownOf(definition.policy),
})

/** Completes a hook's input with what its subject had and left; of a batch, with its tally. */
export function readEnded(ended: unknown, { input, result, error }: Subject): unknown {
  if (typeof ended === 'object' && ended !== null && 'batch' in ended)
    return Object.assign(ended, readValue(input))
  return {
    ...(typeof ended === 'object' && ended),
    input: readValue(input),
    ...(result && { result: readValue(result) }),
    ...(error && { error: publicFailure(error) }),
  }
}
