import { newId } from '../../src/base/id.ts'
import type { Claimed } from '../../src/job/job.ts'
import { encodePolicy, type Policy } from '../../src/job/policy.ts'
import { bytes } from './jobs.ts'

/** A job in the hands of a worker, with what its definition said of it. */
export const claimed = (policy: Partial<Policy> = {}, over: Partial<Claimed> = {}): Claimed => ({
  id: newId(),
  fence: 1,
  job: 'chore',
  queue: 'default',
  tenant: '',
  failures: 0,
  crashes: 0,
  losses: 0,
  input: bytes('{}'),
  policy: encodePolicy(policy),
  createdAt: 0,
  runAt: 0,
  ...over,
})
