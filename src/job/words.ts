import { encodeJson, readOwn } from '../base/json.ts'
import { ChildFailed } from './control.ts'
import { readFailure } from './failure.ts'
import type { Claimed, Mail, Parent } from './job.ts'
import type { Outcome, Word } from './outcome.ts'
import { isSealed } from './seal.ts'
import type { Ended, Reason } from './state.ts'

/** What a job that was called tells the one that called it when it ends: its result, or what went wrong. */

type Ending = Extract<Outcome, { keepMs: number }>
/** Of an ending that is no success. */
type Mishap = { id: string; job: string; state: Ended; reason?: Reason; message?: string }

const CALL = 'call:'

/** The name of letters from a job that was called so. */
export const childBox = (name: string): string => `${CALL}${name}`

/** As what a job was called whose letters have this name. */
export const childOf = (name: string): string | undefined =>
  name.startsWith(CALL) ? name.slice(CALL.length) : undefined

/** Which job a word is from. */
export const senderOf = ({ key }: Pick<Mail, 'key'>): string => key.split(' ')[0] ?? ''

/** One word for each ending: a later life of the same job has a higher fence, or at least has moved on. */
export function wordTo(
  { id: to, name }: Parent,
  { id, job, fence }: Pick<Claimed, 'id' | 'job' | 'fence'>,
  outcome: Ending,
  rev = 0,
): Word {
  const word = { to, name: childBox(name), key: `${id} ${fence}.${rev}` }
  if (outcome.to === 'completed') return { ...word, value: outcome.result ?? new Uint8Array() }
  const mishap: Mishap = {
    id,
    job,
    state: outcome.to,
    ...(outcome.to === 'failed' && {
      reason: outcome.reason,
      // What is sealed is not said in another's mailbox.
      ...(!isSealed(outcome.error) && { message: readFailure(outcome.error).message }),
    }),
  }
  return { ...word, value: encodeJson(mishap) ?? new Uint8Array(), urgent: true }
}

/** What went wrong, as its caller is told. */
export function mishapIn({ value }: Mail): ChildFailed {
  const unknown: Mishap = { id: '', job: '', state: 'failed' }
  const { id, job, state, reason, message } = readOwn<Mishap>(value, unknown)
  const how = state === 'cancelled' ? 'was cancelled' : `failed (${reason ?? 'error'})`
  return new ChildFailed(`${job} ${id} ${how}${message ? `: ${message}` : ''}`, { id, state })
}
