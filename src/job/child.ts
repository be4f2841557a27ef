import { createHash } from 'node:crypto'
import { derivedId } from '../base/id.ts'
import type { Definition } from './define.ts'
import type { JobId, NewJob } from './job.ts'
import { refuseUnknown } from './options.ts'
import { type EnqueueOptions, prepare } from './prepare.ts'
import type { Keyring } from './seal.ts'
import { isPrivate, needKeys, sealNew } from './sealing.ts'

/** What may be said of one call. It is one job whoever asks: it has no unique value. */
export type CallOptions = Pick<
  EnqueueOptions,
  'queue' | 'priority' | 'runAt' | 'delay' | 'tags' | 'expiresIn' | 'deadline' | 'limits'
>
const KNOWN = ['queue', 'priority', 'runAt', 'delay', 'tags', 'expiresIn', 'deadline', 'limits']

/**
 * What may be said of a job that another leaves behind: its id is made. Its tenant is that of the other, unless that one
 * is nobody's and says whose this one is.
 */
export type FollowOptions = Omit<EnqueueOptions, 'id'>

type Caller = { id: JobId; name: string; tenant: string }

/**
 * A job that another calls under a name: the same call is the same job. `print` tells it from a call of another job,
 * or on another input.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION, INVALID_INPUT, UNSTORABLE_INPUT, INPUT_TOO_LARGE
 */
export async function prepareChild(
  { id: caller, name, tenant }: Caller,
  definition: Definition,
  input: unknown,
  options: CallOptions,
  keys?: Keyring,
): Promise<{ job: NewJob; print: string }> {
  refuseUnknown(options, KNOWN)
  const owned = tenant === '' ? options : { ...options, tenant }
  const { unique: _, ...prepared } = await prepare(definition, input, owned)
  const hash = createHash('sha256').update(`${prepared.job}\n`).update(prepared.input)
  const digest = hash.digest('base64url')
  // Of a private input not even a digest is told: short ones could be guessed.
  const print = isPrivate(prepared) ? needKeys(keys).mark(digest) : digest
  // Another input is another job: a caller that was given a new one may call again what it has called.
  const job = {
    ...prepared,
    id: derivedId('call', caller, name, print),
    parent: { id: caller, name },
  }
  return { job: sealNew(job, keys), print }
}

/**
 * A job that another leaves behind under a name, when it completes.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION, INVALID_INPUT, UNSTORABLE_INPUT, INPUT_TOO_LARGE
 */
export async function prepareFollower(
  { id, name, tenant }: Caller,
  definition: Definition,
  input: unknown,
  options: FollowOptions = {},
  keys?: Keyring,
): Promise<NewJob> {
  refuseUnknown(options, [...KNOWN, 'unique', ...(tenant === '' ? ['tenant'] : [])])
  const owned = tenant === '' ? options : { ...options, tenant }
  const prepared = await prepare(definition, input, owned)
  return sealNew({ ...prepared, id: derivedId('enqueue', id, name) }, keys)
}
